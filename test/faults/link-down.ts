import { join } from "node:path";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "link-down",
  title: "the client's machine has lost its network, and the gateway is on another one",
  on: "clawkit",
  expected: ["network-drop"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const client = lab.use(new TestHost());
    const { port } = await lab.run({ gateway: { bind: "lan" } });
    client.exec("ip", "link", "set", "eth0", "down");
    // on that machine there was never a gateway
    const env = { CLAWKIT_STATE_DIR: join(lab.home, "client") };
    return { at: client, env, args: ["--url", `ws://${client.outside}:${port}`] };
  },
};
