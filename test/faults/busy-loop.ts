import { program } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import type { ClawkitFault } from "./fault.ts";

/** Longer than anybody looks. */
const BUSY_MS = 600_000;

export const fault: ClawkitFault = {
  id: "busy-loop",
  title: "the gateway's event loop is blocked by a computation",
  on: "clawkit",
  expected: ["event-loop-blocked"],
  isFixable: true,
  async break(lab) {
    const upstream = { type: "command", command: program("echo") };
    // by default it would be restarted after 30 s
    const clawkit = await lab.run({
      gateway: { upstream },
      supervisor: { hangRestartSec: 600, stopGraceSec: 1 },
    });
    const client = new TestClient(clawkit.url);
    await client.opened;
    client.socket.send(`busy ${BUSY_MS}`);
    await clawkit.untilStatus(({ state }) => state === "unhealthy");
    client.socket.terminate();
  },
};
