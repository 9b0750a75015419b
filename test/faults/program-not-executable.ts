import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "program-not-executable",
  title: "the program of the command may not be executed",
  on: "clawkit",
  expected: ["start-failed"],
  isFixable: false,
  async break(lab) {
    const path = join(lab.home, "gateway.sh");
    await writeFile(path, "#!/bin/sh\n", { mode: 0o600 });
    await lab.loop([path]);
  },
};
