import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";
import { blockPort } from "./firewall.ts";

export const fault: ClawkitFault = {
  id: "firewall-drop",
  title: "a firewall drops the packets to the gateway's port",
  on: "clawkit",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const host = lab.use(new TestHost());
    const { port } = await lab.runApart(host);
    blockPort(host, port, "drop");
    return { at: host };
  },
};
