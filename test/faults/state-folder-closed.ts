import { chmod } from "node:fs/promises";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "state-folder-closed",
  title: "its user may not write to the state directory any more, and everything was killed",
  on: "clawkit",
  expected: ["state-not-writable"],
  isFixable: true,
  // root may write anywhere
  needs: () => (process.getuid?.() === 0 ? false : "becoming another user needs root"),
  async break(lab) {
    await lab.becomeNobody();
    const { stateDir } = await lab.runApart();
    await lab.killAll();
    await chmod(stateDir, 0o500);
  },
};
