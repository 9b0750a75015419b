import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "self-kill",
  title: "the command is killed with SIGKILL whenever it is started",
  on: "clawkit",
  expected: ["killed-by-signal"],
  isFixable: false,
  async break(lab) {
    await lab.loop(faulty("fails", ["kill"]));
  },
};
