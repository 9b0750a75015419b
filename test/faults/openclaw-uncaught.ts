import { once } from "node:events";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-uncaught",
  title: "something in the gateway throws, and nobody catches it",
  on: "openclaw",
  expected: ["uncaught-exception-crash"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const gateway = await lab.run(lab.hooked());
    const ended = once(gateway, "exit");
    await lab.goWrong("throw");
    await ended;
  },
};
