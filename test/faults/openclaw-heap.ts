import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

/** Enough to begin (130), and not enough to be ready. */
const HEAP_MB = 150;

// V8's last words go to stderr, which nobody keeps: what is left are its lock and its log.
export const fault: OpenclawFault = {
  id: "openclaw-heap",
  title: "the heap of the gateway is too small to come up",
  on: "openclaw",
  expected: ["ended-without-record", "oom"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.startInVain({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } });
  },
};
