import { fileURLToPath } from "node:url";
import type { StatePaths } from "../config/paths.ts";
import type { OpenclawSearch } from "../host/openclaw-command.ts";

/** Has a detached supervisor wait for a port that another gateway has. */
export const TAKE_OVER = "--take-over";

/** Sources have `.ts` entry points, the built package has `.js` ones beside each other. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** The folder with the playbooks: beside the sources in a checkout, beside `dist` in the package. */
export function playbooksDir(): string {
  const root = EXTENSION === ".ts" ? "../.." : "..";
  return fileURLToPath(new URL(`${root}/playbooks`, import.meta.url));
}

/** Where the real OpenClaw is looked for: anywhere on the PATH but in folders of ours. */
export function openclawSearch({ binDir, adoptedBinDir }: StatePaths): OpenclawSearch {
  return {
    platform: process.platform,
    path: process.env.PATH,
    ownFolders: [binDir, adoptedBinDir, ...aliasFolders()],
    node: process.execPath,
  };
}

/** Folders with an `openclaw` that is ours, beside the state directory's. */
function aliasFolders(): string[] {
  const root = EXTENSION === ".ts" ? "../.." : "..";
  return ["bin", "dist"].map((name) => fileURLToPath(new URL(`${root}/${name}`, import.meta.url)));
}

/** The console's built pages: beside the built entry points, in `dist` of a checkout. */
export function pagesDir(): string {
  const dir = EXTENSION === ".ts" ? "../../dist/console" : "./console";
  return fileURLToPath(new URL(dir, import.meta.url));
}

/** The path of one of our entry points. */
export function entryPath(
  name:
    | "clawkit"
    | "edge"
    | "gateway"
    | "gateway-module"
    | "supervisor"
    | "control"
    | "openclaw"
    | "demo-server"
    | "recorder",
): string {
  return fileURLToPath(new URL(`./${name}${EXTENSION}`, import.meta.url));
}
