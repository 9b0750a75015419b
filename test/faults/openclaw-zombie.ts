import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// The page's root cause 4: what holds the port answers nobody, and a new gateway exits for it.
export const fault: OpenclawFault = {
  id: "openclaw-zombie",
  title: "a stopped gateway (SIGSTOP) holds the port, and a new one could not start",
  on: "openclaw",
  expected: ["wedged-process"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const { pid } = await lab.run();
    process.kill(pid!, "SIGSTOP");
    await lab.startInVain();
  },
};
