import { realpath } from "node:fs/promises";
import { findOnPath } from "../host/path-search.ts";

/** Folders that a version manager makes for one shell (fnm), or that a package manager clears (npx). */
const SHORT_LIVED = /[/\\](fnm_multishells|_npx|\.npm[/\\]_cacache)[/\\]/;

/**
 * A path of `file` that is still right after an upgrade: the link of that name on PATH that leads to it, as package
 * managers make them, else the file. A version's own folder (`Cellar/node/24.1.0`) goes with the version, and a
 * service that names it does not start again: a known cause of outages (openclaw's stale entry points).
 */
export async function stablePath(file: string, name: string, path: string | undefined): Promise<string> {
  const target = await realpath(file);
  for (const candidate of await findOnPath(name, path)) {
    if (SHORT_LIVED.test(candidate)) continue;
    if ((await realpath(candidate).catch(() => undefined)) === target) return candidate;
  }
  return file;
}

export function isShortLived(path: string): boolean {
  return SHORT_LIVED.test(path);
}
