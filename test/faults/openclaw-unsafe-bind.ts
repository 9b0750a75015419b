import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-unsafe-bind",
  title: "gateway.bind is lan without authentication, and a start was refused for it",
  on: "openclaw",
  expected: ["config-refused-at-startup"],
  // nobody but its owner knows whether it should be closed or protected
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    await lab.writeConfig({ bind: "lan", auth: { mode: "none" } });
    await lab.startInVain();
  },
};
