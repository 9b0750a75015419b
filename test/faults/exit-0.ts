import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "exit-0",
  title: "the command exits with 0 whenever it is started",
  on: "clawkit",
  expected: ["clean-exit"],
  isFixable: false,
  async break(lab) {
    await lab.loop(program("exit-with", "0", "all done"));
  },
};
