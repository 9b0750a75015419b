import { until } from "../helpers/clawkit.ts";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-starting",
  title: "the gateway was started a moment ago, and is not ready yet",
  on: "openclaw",
  expected: ["gateway-starting"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    lab.start();
    await until(async () => (await lab.locks()).length > 0 || undefined);
  },
};
