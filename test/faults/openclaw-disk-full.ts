import type { OpenclawFault } from "./fault.ts";
import { fillBytes, mountSmall, whyNoMounts } from "./mounts.ts";

export const fault: OpenclawFault = {
  id: "openclaw-disk-full",
  title: "the disk of ~/.openclaw is full",
  on: "openclaw",
  expected: ["disk-full"],
  isFixable: false,
  needs: whyNoMounts,
  async break(lab) {
    mountSmall(lab, lab.stateDir, "size=256m");
    await lab.writeConfig({});
    await lab.run();
    await fillBytes(lab.stateDir);
  },
};
