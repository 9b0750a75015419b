import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "missing-module",
  title: "a module of the command is missing",
  on: "clawkit",
  expected: ["broken-install"],
  isFixable: false,
  async break(lab) {
    await lab.loop(faulty("fails", ["import", "a-module-that-is-not-installed"]));
  },
};
