import { untilGone } from "../helpers/processes.ts";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// The page's root cause 1. Nobody saw the end: only its lock and its log tell of it.
export const fault: OpenclawFault = {
  id: "openclaw-killed",
  title: "the gateway is killed with -9",
  on: "openclaw",
  expected: ["ended-without-record"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const { pid } = await lab.run();
    process.kill(pid!, "SIGKILL");
    await untilGone([pid!]);
  },
};
