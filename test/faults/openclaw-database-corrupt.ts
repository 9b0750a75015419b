import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-database-corrupt",
  title: "state/openclaw.sqlite is no database any more, and a start failed for it",
  on: "openclaw",
  expected: ["sqlite-corrupt-or-locked"],
  // what was in it is gone: its owner has to choose a copy
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    const path = join(lab.stateDir, "state", "openclaw.sqlite");
    for (const suffix of ["-wal", "-shm"]) await rm(path + suffix, { force: true });
    await writeFile(path, Buffer.alloc(64 * 1024, 0xa5));
    await lab.startInVain();
  },
};
