import type { ClawkitFault } from "./fault.ts";
import { fillInodes, mountSmall, whyNoMounts } from "./mounts.ts";

export const fault: ClawkitFault = {
  id: "no-inodes",
  title: "the disk of the state directory has no inode left",
  on: "clawkit",
  expected: ["disk-full"],
  isFixable: false,
  needs: whyNoMounts,
  async break(lab) {
    mountSmall(lab, lab.clawkit.stateDir, "size=64m,nr_inodes=256");
    await lab.run();
    await fillInodes(lab.clawkit.stateDir);
  },
};
