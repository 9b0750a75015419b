import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findOnPath } from "../../host/path-search.ts";
import { allCauses } from "../causes/index.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

/** Folders up from an entry point to its package's manifest: `node_modules/openclaw/dist/index.js` needs two. */
const MAX_UP = 4;

export interface Install {
  readonly path: string;
  /** Absent where its manifest is not found: a wrapper script. */
  readonly version?: string;
}

/** OpenClaw installations that a shell finds, and whether their version is known for trouble. */
export const installs: Look = {
  id: "installs",
  what: "installations of OpenClaw",
  async look(machine) {
    if (!(await machine.isOpenClaw())) return [];
    const found = await installsOf(machine);
    const facts: Fact[] = found.flatMap(({ path, version }) =>
      version === undefined ? [] : [{ id: "openclaw-version", detail: `version ${version}`, source: path }],
    );
    const versions = new Set(found.map(({ version }) => version).filter((one) => one !== undefined));
    if (versions.size > 1) {
      const detail = `a shell finds OpenClaw in several versions: ${[...versions].join(", ")}`;
      facts.push({ id: "installs-several", detail, source: "PATH" });
    }
    const [first] = versions;
    return first === undefined ? facts : [...facts, ...knownTrouble(first)];
  },
};

/** What the field knows of this version. */
export function knownTrouble(version: string): Fact[] {
  return allCauses.flatMap(({ id, knownBad = [] }) =>
    knownBad
      .filter(({ from, to }) => compareVersions(version, from) >= 0 && compareVersions(version, to) <= 0)
      .map(({ from, to, issue }): Fact => {
        const range = from === to ? from : `${from} to ${to}`;
        return { id: `version-known-for-${id}`, detail: `OpenClaw ${range} is known for it`, source: issue };
      }),
  );
}

/** `2026.4.24` and `2026.1.24-3`: the numbers of a date, and of a revision of that day. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function installsOf({ env, platform }: Machine): Promise<Install[]> {
  const name = platform === "win32" ? "openclaw.cmd" : "openclaw";
  return await Promise.all(
    (await findOnPath(name, env.PATH)).map(async (path): Promise<Install> => {
      const version = await versionOf(path);
      return { path, ...(version === undefined ? {} : { version }) };
    }),
  );
}

/** Of the manifest above what a link points to, or of npm's package folder beside a Windows shim. */
export async function versionOf(path: string): Promise<string | undefined> {
  let at = dirname(await realpath(path).catch(() => path));
  for (let up = 0; up < MAX_UP; up++, at = dirname(at)) {
    const version = await manifestVersion(join(at, "package.json"));
    if (version !== undefined) return version;
  }
  return await manifestVersion(join(dirname(path), "node_modules", "openclaw", "package.json"));
}

async function manifestVersion(path: string): Promise<string | undefined> {
  try {
    const { name, version } = JSON.parse(await readFile(path, "utf8")) as {
      name?: unknown;
      version?: unknown;
    };
    return ["openclaw", "clawdbot", "moltbot"].includes(String(name)) ? String(version) : undefined;
  } catch {
    return undefined;
  }
}
