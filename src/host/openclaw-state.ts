import { stat } from "node:fs/promises";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where OpenClaw keeps its state, now and under its earlier names. */
const STATE_FOLDERS = [".openclaw", ".clawdbot", ".moltbot"];

/** Folders of OpenClaw's state that exist; the first is the one in use. */
export async function openclawDirs(env: Environment, home: string): Promise<string[]> {
  if (env.OPENCLAW_STATE_DIR) return [env.OPENCLAW_STATE_DIR];
  const folders = STATE_FOLDERS.map((name) => join(home, name));
  const there = await Promise.all(folders.map((folder) => stat(folder).catch(() => undefined)));
  return folders.filter((_, index) => there[index] !== undefined);
}

/** OpenClaw's config, which need not exist. */
export async function openclawConfigPath(env: Environment, home: string): Promise<string> {
  if (env.OPENCLAW_CONFIG_PATH) return env.OPENCLAW_CONFIG_PATH;
  const [dir = join(home, STATE_FOLDERS[0]!)] = await openclawDirs(env, home);
  return join(dir, "openclaw.json");
}
