import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { OpenclawFault } from "./fault.ts";
import { blockPort } from "./firewall.ts";

// The page's root cause 2.
export const fault: OpenclawFault = {
  id: "openclaw-firewall-drop",
  title: "a firewall drops the packets to the gateway's port",
  on: "openclaw",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const host = lab.use(new TestHost());
    await lab.run({ at: host });
    blockPort(host, lab.port, "drop");
    return { at: host };
  },
};
