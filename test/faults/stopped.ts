import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "stopped",
  title: "its operator stopped it",
  on: "clawkit",
  expected: ["planned-stop"],
  isFixable: true,
  async break(lab) {
    await lab.runAndStop();
  },
};
