import { readFile, writeFile } from "node:fs/promises";
import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

// Containers give the same low pids again and again (#1572, #75028). A lock without a start time, as older versions
// wrote it, is believed as long as its pid looks like a gateway: only that the process is younger than the lock tells.
export const fault: OpenclawFault = {
  id: "openclaw-stale-lock",
  title: "the lock of a killed gateway names a pid that another program has now, and a start failed for it",
  on: "openclaw",
  expected: ["stale-lock"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    const idle = [process.execPath, "--title=openclaw-gateway", "-e", "setInterval(() => {}, 60_000)"];
    const { pid } = lab.spawn(idle, { env: { HOME: "/" } });
    for (const path of await lab.locks()) {
      const { startTime: _, ...lock } = JSON.parse(await readFile(path, "utf8")) as { startTime?: number };
      await writeFile(path, JSON.stringify({ ...lock, pid }));
    }
    await lab.startInVain();
  },
};
