import { realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { findOnPath } from "./path-search.ts";

export interface OpenclawSearch {
  readonly platform: NodeJS.Platform;
  readonly path: string | undefined;
  /** Folders with an `openclaw` that is an alias of ours. */
  readonly ownFolders: readonly string[];
  /** Node that runs OpenClaw's entry point where a shim cannot be started without a shell (Windows). */
  readonly node: string;
}

/**
 * Program and leading arguments of the real OpenClaw's command line: the first `openclaw` on the PATH that is not
 * ours. Undefined if there is none.
 */
export async function findOpenclaw(search: OpenclawSearch): Promise<readonly string[] | undefined> {
  const { platform, path, ownFolders, node } = search;
  const isWindows = platform === "win32";
  for (const file of await findOnPath(isWindows ? "openclaw.cmd" : "openclaw", path)) {
    const target = await realpath(file).catch(() => file);
    const isOurs = ownFolders.some((folder) =>
      [file, target].some((one) => one.startsWith(folder.endsWith(sep) ? folder : folder + sep)),
    );
    if (isOurs) continue;
    // npm's shim is a batch file; what it starts lies beside it
    if (isWindows) return [node, join(dirname(file), "node_modules", "openclaw", "openclaw.mjs")];
    return [file];
  }
  return undefined;
}
