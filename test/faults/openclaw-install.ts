import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The version that `../shared/knowledge/openclaw.md` describes. */
const VERSION = "2026.9.6";

const CACHE = join(homedir(), ".cache", "clawkit-faults", `openclaw-${VERSION}`);

/** The file that its `openclaw` command runs. */
export function openclawEntry(): string {
  return join(process.env.CLAWKIT_OPENCLAW_DIR ?? CACHE, "node_modules", "openclaw", "openclaw.mjs");
}

/** Why a test of it cannot run here; false if it can. In CI it must. */
export function whyNotInstalled(): string | false {
  return existsSync(openclawEntry()) ? false : "no OpenClaw is installed: npm run faults brings one";
}

/** Installs it where it is missing. Throws what npm says against it. */
export function installOpenclaw(progress: (text: string) => void): void {
  if (existsSync(openclawEntry())) return;
  if (process.env.CLAWKIT_OPENCLAW_DIR !== undefined) {
    throw new Error(`Cannot use CLAWKIT_OPENCLAW_DIR as there is no ${openclawEntry()}`);
  }
  progress(`installing openclaw@${VERSION} into ${CACHE} (768 MB, some minutes, once)`);
  mkdirSync(CACHE, { recursive: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["install", "--prefix", CACHE, "--no-audit", "--no-fund", `openclaw@${VERSION}`];
  const { status } = spawnSync(npm, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`Cannot install openclaw@${VERSION}: npm exited with ${status}`);
}
