import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "never-ready",
  title: "the gateway answers 503 to every question: it is not ready yet",
  on: "clawkit",
  expected: ["gateway-starting"],
  isFixable: false,
  async break(lab) {
    const upstream = { type: "command", command: program("never-ready", "503") };
    await lab.clawkit.writeConfig({ gateway: { upstream }, supervisor: { startTimeoutSec: 600 } });
    await lab.clawkit.runForeground();
    await lab.clawkit.untilStatus(({ gateway }) => gateway.pid !== null);
  },
};
