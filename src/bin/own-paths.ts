import { tmpdir } from "node:os";
import { resolveStateDir, type StatePaths, socketPath, statePaths } from "../config/paths.ts";
import { ownHome } from "./home.ts";

/** This process's state directory and what is in it. */
export function ownPaths(): { paths: StatePaths; controlPath: string } {
  const paths = statePaths(resolveStateDir(process.env, ownHome()));
  return { paths, controlPath: localSocket(paths, "control") };
}

export function localSocket(paths: StatePaths, name: string): string {
  return socketPath(paths.stateDir, name, process.platform, tmpdir());
}
