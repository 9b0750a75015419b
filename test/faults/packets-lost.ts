import { join } from "node:path";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "packets-lost",
  title: "between the client's machine and the gateway's every packet is lost, as behind a VPN that fell",
  on: "clawkit",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const client = lab.use(new TestHost());
    const { port } = await lab.run({ gateway: { bind: "lan" } });
    client.dropPackets();
    const env = { CLAWKIT_STATE_DIR: join(lab.home, "client") };
    return { at: client, env, args: ["--url", `ws://${client.outside}:${port}`] };
  },
};
