import { until } from "../helpers/clawkit.ts";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-busy-loop",
  title: "something in the gateway computes for ever and blocks its event loop",
  on: "openclaw",
  expected: ["event-loop-blocked"],
  // a gateway that began less than a minute ago may be starting: the doctor does not end it
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run(lab.hooked());
    await lab.goWrong("spin");
    await until(async () => (await lab.isSilent()) || undefined);
  },
};
