import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "loopback-down",
  title: "loopback is down: 127.0.0.1 is nobody's",
  on: "clawkit",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const at = lab.use(new TestHost());
    await lab.runApart(at);
    at.exec("ip", "link", "set", "lo", "down");
    return { at };
  },
};
