import { once } from "node:events";
import { join } from "node:path";
import { program, ROOT } from "../helpers/clawkit.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "nat-timeout",
  title: "what stands between a client and the gateway forgets their idle connection",
  on: "clawkit",
  expected: ["client-unreachable"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const client = lab.use(new TestHost());
    const clawkit = await lab.run({
      gateway: {
        bind: "lan",
        upstream: { type: "command", command: program("echo"), trustsEdge: true },
        keepalive: { intervalSec: 1, timeoutSec: 1 },
      },
    });
    const script = join(ROOT, "test/faults/programs/idle-client.ts");
    const { stdout } = client.spawn(process.execPath, script, `ws://${client.outside}:${clawkit.port}`);
    await once(stdout!, "data");
    client.dropPackets();
    await lab.untilClosed("client-unreachable");
  },
};
