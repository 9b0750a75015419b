import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "exit-1",
  title: "the command exits with 1 and no word, whenever it is started",
  on: "clawkit",
  expected: ["unexplained-exit"],
  isFixable: false,
  async break(lab) {
    await lab.loop(program("exit-with", "1"));
  },
};
