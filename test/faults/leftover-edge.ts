import { untilGone } from "../helpers/processes.ts";
import type { ClawkitFault } from "./fault.ts";

// The page's root cause 4: what is left of an earlier life holds the port.
export const fault: ClawkitFault = {
  id: "leftover-edge",
  title: "the supervisor is killed while its edge and gateway are stopped (SIGSTOP) and keep the port",
  on: "clawkit",
  expected: ["wedged-process", "port-conflict"],
  isFixable: true,
  async break(lab) {
    const { supervisor, edge, gateway } = await (await lab.run()).status();
    for (const { pid } of [edge, gateway]) process.kill(pid!, "SIGSTOP");
    process.kill(supervisor.pid!, "SIGKILL");
    await untilGone([supervisor.pid!]);
  },
};
