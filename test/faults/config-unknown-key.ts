import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "config-unknown-key",
  title: "the config has a key that does not exist, and everything was killed",
  on: "clawkit",
  expected: ["config-invalid"],
  isFixable: true,
  async break(lab) {
    const clawkit = await lab.run();
    await lab.killAll();
    await clawkit.writeConfig({ gateway: { keepAlive: { enabled: true } } });
  },
};
