import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "unhandled-rejection",
  title: "a command rejects a promise whenever it is started",
  on: "clawkit",
  expected: ["uncaught-exception-crash"],
  isFixable: false,
  async break(lab) {
    await lab.loop(faulty("fails", ["reject"]));
  },
};
