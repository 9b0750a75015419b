import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-unknown-key",
  title: "openclaw.json has a key that does not exist, and a start failed for it",
  on: "openclaw",
  expected: ["config-invalid"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    await lab.writeConfig({ keepalive: { intervalSec: 20 } });
    await lab.startInVain();
  },
};
