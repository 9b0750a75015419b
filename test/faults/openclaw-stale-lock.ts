import { readFile, writeFile } from "node:fs/promises";
import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// Containers give the same low pids again and again (#1572, #75028); older versions wrote no start time.
export const fault: OpenclawFault = {
  id: "openclaw-stale-lock",
  title: "the lock of a gateway that was killed names a pid that another program has now",
  on: "openclaw",
  expected: ["stale-lock"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    const { pid } = lab.spawn(["sleep", "3600"], { env: { HOME: "/" } });
    for (const path of await lab.locks()) {
      const text = await readFile(path, "utf8");
      const { startTime: _, ...lock } = JSON.parse(text) as { startTime?: number };
      await writeFile(path, JSON.stringify({ ...lock, pid }));
    }
  },
};
