import { truncate, writeFile } from "node:fs/promises";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

const BYTES = 3 * 1024 ** 3;

// #25818: a log of 3.7 GB. It is sparse, and takes no room here.
export const fault: OpenclawFault = {
  id: "openclaw-large-log",
  title: "the gateway is well, and a log of it has 3 GB",
  on: "openclaw",
  expected: ["log-file-too-large"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    const path = lab.logPath("openclaw-2026-01-01.log");
    await writeFile(path, "");
    await truncate(path, BYTES);
  },
};
