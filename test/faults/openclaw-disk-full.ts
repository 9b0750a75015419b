import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../helpers/clawkit.ts";
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
    // it unpacks 50 MB after it is ready, and would clear them away again
    const assets = join(lab.stateDir, "cache", "control-ui-assets");
    await until(async () => {
      const names = await readdir(assets).catch(() => []);
      return (names.length > 0 && !names.some((name) => name.startsWith(".staging"))) || undefined;
    });
    await fillBytes(lab.stateDir);
  },
};
