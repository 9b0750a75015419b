import { readFile } from "node:fs/promises";
import type { ConfigSource } from "../config/parse.ts";
import type { StatePaths } from "../config/paths.ts";
import { ClawkitError, messageOf, systemErrorCode } from "../core/errors.ts";
import { newSecret } from "../core/secrets.ts";
import { ensurePrivateDir, writeFileAtomic } from "../host/files.ts";

/** The config's text; empty if there is no file yet. */
export async function readConfigSource(paths: StatePaths): Promise<ConfigSource> {
  try {
    return { path: paths.config, text: await readFile(paths.config, "utf8") };
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return { path: paths.config, text: "" };
    throw new ClawkitError("STATE_UNUSABLE", `Cannot read ${paths.config}: ${messageOf(cause)}`, { cause });
  }
}

/** Makes sure that there is a state directory and a config; a new one gets a random token. */
export async function ensureConfig(paths: StatePaths): Promise<{ source: ConfigSource; isNew: boolean }> {
  for (const folder of [paths.stateDir, paths.runDir, paths.logsDir]) await ensurePrivateDir(folder);
  const source = await readConfigSource(paths);
  if (source.text.trim() !== "") return { source, isNew: false };
  const text = newConfig();
  await writeConfig(paths, text);
  return { source: { path: paths.config, text }, isNew: true };
}

/** Replaces the config in one step, so that it is never half written. */
export async function writeConfig(paths: StatePaths, text: string): Promise<void> {
  try {
    await writeFileAtomic(paths.config, text);
  } catch (cause) {
    throw new ClawkitError("CONFIG_UNWRITABLE", `Cannot write ${paths.config}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function newConfig(): string {
  return `// ClawKit's configuration (JSON5). All keys: docs/config.md; check with: clawkit config validate
{
  gateway: {
    auth: {
      mode: "token",
      token: "${newSecret()}",
    },
  },
}
`;
}
