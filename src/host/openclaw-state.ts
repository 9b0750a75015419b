import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where OpenClaw keeps its state, now and under its earlier names. */
const STATE_FOLDERS = [".openclaw", ".clawdbot", ".moltbot"];

/** Folders of OpenClaw's state that exist; the first is the one in use. */
export async function openclawDirs(env: Environment, home: string): Promise<string[]> {
  const own = homeOf(env, home);
  if (env.OPENCLAW_STATE_DIR) return [withHome(env.OPENCLAW_STATE_DIR, own)];
  const folders = STATE_FOLDERS.map((name) => join(own, name));
  const there = await Promise.all(folders.map((folder) => stat(folder).catch(() => undefined)));
  return folders.filter((_, index) => there[index] !== undefined);
}

/** OpenClaw's config, which need not exist. */
export async function openclawConfigPath(env: Environment, home: string): Promise<string> {
  const own = homeOf(env, home);
  if (env.OPENCLAW_CONFIG_PATH) return withHome(env.OPENCLAW_CONFIG_PATH, own);
  const [dir = join(own, STATE_FOLDERS[0]!)] = await openclawDirs(env, home);
  return join(dir, "openclaw.json");
}

/** Variables with which its user says that OpenClaw's state is elsewhere. */
export const STATE_VARIABLES = ["OPENCLAW_HOME", "OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH"] as const;

function homeOf({ OPENCLAW_HOME }: Environment, home: string): string {
  return OPENCLAW_HOME ? withHome(OPENCLAW_HOME, home) : home;
}

/** It reads a tilde itself: a variable need not come from a shell. */
function withHome(path: string, home: string): string {
  return resolve(path.replace(/^~(?=$|[\\/])/, () => home));
}
