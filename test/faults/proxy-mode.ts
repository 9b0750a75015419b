import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "proxy-mode",
  title: "OpenClaw's clients are told to refuse what does not go through their proxy, loopback included",
  on: "clawkit",
  expected: ["proxy-captures-loopback"],
  isFixable: true,
  async break(lab) {
    await lab.run();
    await mkdir(join(lab.home, ".openclaw"), { mode: 0o700 });
    const proxy = { enabled: true, proxyUrl: "http://127.0.0.1:9", loopbackMode: "block" };
    await writeFile(join(lab.home, ".openclaw", "openclaw.json"), JSON.stringify({ proxy }), { mode: 0o600 });
    return undefined;
  },
};
