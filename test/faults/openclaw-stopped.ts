import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-stopped",
  title: "the gateway is stopped (SIGSTOP)",
  on: "openclaw",
  expected: ["wedged-process"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const { pid } = await lab.run();
    process.kill(pid!, "SIGSTOP");
  },
};
