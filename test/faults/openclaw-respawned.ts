import { join } from "node:path";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// Its documentation advises the variable for small machines. The gateway then starts itself anew, and stays as the
// parent of the one that listens: two processes, one gateway.
export const fault: OpenclawFault = {
  id: "openclaw-respawned",
  title: "the gateway was started with NODE_COMPILE_CACHE, and is well",
  on: "openclaw",
  expected: ["healthy"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run({ env: { NODE_COMPILE_CACHE: join(lab.home, "compile-cache") } });
  },
};
