import { once } from "node:events";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// The most frequent crash of the field (#3024, #7625): OpenClaw logs it before it exits with 1.
export const fault: OpenclawFault = {
  id: "openclaw-rejection",
  title: "a promise in the gateway is rejected, and nobody handles it",
  on: "openclaw",
  expected: ["uncaught-exception-crash"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const gateway = await lab.run(lab.hooked());
    const ended = once(gateway, "exit");
    await lab.goWrong("reject");
    await ended;
  },
};
