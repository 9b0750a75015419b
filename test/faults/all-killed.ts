import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "all-killed",
  title: "supervisor, edge and gateway are killed at once",
  on: "clawkit",
  expected: ["ended-without-record"],
  isFixable: true,
  async break(lab) {
    await lab.run();
    await lab.killAll();
  },
};
