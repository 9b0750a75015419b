import type { ClawkitFault } from "./fault.ts";
import { makeReadOnly, whyNoMounts } from "./mounts.ts";

export const fault: ClawkitFault = {
  id: "state-read-only",
  title: "the state directory is on a disk that became read-only, and everything was killed",
  on: "clawkit",
  expected: ["state-not-writable"],
  isFixable: false,
  needs: whyNoMounts,
  async break(lab) {
    const { stateDir } = await lab.run();
    await lab.killAll();
    makeReadOnly(lab, stateDir);
  },
};
