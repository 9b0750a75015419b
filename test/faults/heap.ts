import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "heap",
  title: "the command fills the heap whenever it is started",
  on: "clawkit",
  expected: ["oom"],
  isFixable: false,
  async break(lab) {
    await lab.loop(faulty("fails", ["heap"], ["--max-old-space-size=40"]));
  },
};
