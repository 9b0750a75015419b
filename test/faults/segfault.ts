import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "segfault",
  title: "the command leaves its stack whenever it is started",
  on: "clawkit",
  expected: ["native-crash"],
  isFixable: false,
  async break(lab) {
    await lab.loop(faulty("fails", ["overflow"], ["--stack-size=200000"]));
  },
};
