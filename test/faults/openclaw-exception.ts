import { once } from "node:events";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// Node prints the exception to stderr, which nobody keeps, and the gateway removes its lock on the way out: what is
// left is a log that breaks off. So the reason cannot be known, but that it ended unasked can.
export const fault: OpenclawFault = {
  id: "openclaw-exception",
  title: "something in the gateway throws, nobody catches it, and its last words are lost",
  on: "openclaw",
  expected: ["ended-without-record", "uncaught-exception-crash"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const gateway = await lab.run(lab.hooked());
    const ended = once(gateway, "exit");
    await lab.goWrong("throw");
    await ended;
  },
};
