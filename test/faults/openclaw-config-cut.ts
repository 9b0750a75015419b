import { readFile, writeFile } from "node:fs/promises";
import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-config-cut",
  title: "the second half of openclaw.json is missing, and a start failed for it",
  on: "openclaw",
  expected: ["config-invalid"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    // its first change of the config is what makes OpenClaw keep a copy
    await lab.openclaw("config", "set", "gateway.reload.mode", "off");
    await lab.run();
    await endAllWith("HOME", lab.home);
    const text = await readFile(lab.configPath, "utf8");
    await writeFile(lab.configPath, text.slice(0, text.length / 2));
    await lab.startInVain();
  },
};
