import { readFile, writeFile } from "node:fs/promises";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "config-cut",
  title: "the second half of config.json5 is missing, and everything was killed",
  on: "clawkit",
  expected: ["config-invalid"],
  isFixable: true,
  async break(lab) {
    const { configPath } = await lab.run();
    await lab.killAll();
    const text = await readFile(configPath, "utf8");
    await writeFile(configPath, text.slice(0, text.length / 2));
  },
};
