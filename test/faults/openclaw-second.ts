import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-second",
  title: "a second gateway could not start, and the first one is well",
  on: "openclaw",
  expected: ["healthy"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await lab.startInVain();
    if (!(await lab.isReady())) throw new Error("the first gateway is not well");
  },
};
