import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "exit-78",
  title: "the command refuses to start (78)",
  on: "clawkit",
  expected: ["config-refused-at-startup"],
  isFixable: false,
  async break(lab) {
    const command = program(
      "exit-with",
      "78",
      "Gateway start blocked: set gateway.mode=local (current: unset)",
    );
    await lab.clawkit.writeConfig({ gateway: { upstream: { type: "command", command } } });
    await lab.clawkit.runForeground();
    // it is not started again until something changes
    await lab.untilEnded(1);
  },
};
