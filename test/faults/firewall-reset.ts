import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";
import { blockPort } from "./firewall.ts";

export const fault: ClawkitFault = {
  id: "firewall-reset",
  title: "a firewall resets connections to the gateway's port",
  on: "clawkit",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const host = lab.use(new TestHost());
    const { port } = await lab.runApart(host);
    blockPort(host, port, "reject with tcp reset");
    return { at: host };
  },
};
