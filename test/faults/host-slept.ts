import { once } from "node:events";
import { join } from "node:path";
import { SqliteStore } from "../../src/recorder/sqlite-store.ts";
import { program, ROOT } from "../helpers/clawkit.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

const SLEPT_MS = 5_000;

// no machine can be put to sleep here: what it does to processes and clients is real, what its clocks show is written
// down as the sampler does (`edge/sampler.ts`)
export const fault: ClawkitFault = {
  id: "host-slept",
  title: "the machine slept, and its clients were gone when it woke",
  on: "clawkit",
  expected: ["host-sleep"],
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
    const { supervisor, edge, gateway } = await clawkit.status();
    const all = [supervisor.pid!, edge.pid!, gateway.pid!];
    for (const pid of all) process.kill(pid, "SIGSTOP");
    client.dropPackets();
    await new Promise((resolve) => setTimeout(resolve, SLEPT_MS));
    for (const pid of all) process.kill(pid, "SIGCONT");
    const store = new SqliteStore(join(clawkit.stateDir, "recorder.db"));
    store.addNote({ at: Date.now(), kind: "host-slept", text: `the machine slept for ${SLEPT_MS / 1000} s` });
    store.close();
    await lab.untilClosed("client-unreachable");
  },
};
