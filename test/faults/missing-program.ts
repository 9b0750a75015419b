import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "missing-program",
  title: "the program of the command does not exist",
  on: "clawkit",
  expected: ["broken-install"],
  isFixable: false,
  async break(lab) {
    await lab.loop(["/opt/no-such-folder/openclaw-gateway"]);
  },
};
