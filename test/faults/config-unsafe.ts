import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "config-unsafe",
  title: "the config opens the gateway to the network without authentication, and everything was killed",
  on: "clawkit",
  expected: ["config-invalid", "config-refused-at-startup"],
  isFixable: true,
  async break(lab) {
    const clawkit = await lab.run();
    await lab.killAll();
    await clawkit.writeConfig({ gateway: { bind: "lan", auth: { mode: "none" } } });
  },
};
