import type { ClawkitFault } from "./fault.ts";
import { fillBytes, mountSmall, whyNoMounts } from "./mounts.ts";

export const fault: ClawkitFault = {
  id: "disk-full",
  title: "the disk of the state directory is full",
  on: "clawkit",
  expected: ["disk-full"],
  isFixable: false,
  needs: whyNoMounts,
  async break(lab) {
    mountSmall(lab, lab.clawkit.stateDir, "size=32m");
    await lab.run();
    await fillBytes(lab.clawkit.stateDir);
  },
};
