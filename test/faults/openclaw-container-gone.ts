import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// The page's root cause 3, without a container engine: whatever was in the container ends at once.
export const fault: OpenclawFault = {
  id: "openclaw-container-gone",
  title: "the gateway and all it has started end at once, as with their container",
  on: "openclaw",
  expected: ["ended-without-record"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
  },
};
