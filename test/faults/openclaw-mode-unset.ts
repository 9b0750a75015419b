import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-mode-unset",
  title: "gateway.mode is not set, and a start was refused for it",
  on: "openclaw",
  expected: ["config-refused-at-startup"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    await lab.writeConfig({ mode: undefined });
    await lab.startInVain();
  },
};
