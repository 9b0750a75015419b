import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findOnPath } from "../../host/path-search.ts";
import { allCauses } from "../causes/index.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { compareVersions } from "./versions.ts";

/** Folders up from an entry point to its package's manifest: `node_modules/openclaw/dist/index.js` needs two. */
const MAX_UP = 4;

export interface Install {
  readonly path: string;
  /** Absent where its manifest is not found: a wrapper script. */
  readonly version?: string;
  /** Of its package. */
  readonly folder?: string;
  /** The file of it that a link leads to; absent for a script that starts it some other way. */
  readonly entry?: string;
  /** The versions of Node that it runs on (`engines` of its manifest). */
  readonly nodeRange?: string;
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

/** Those on the PATH, in its order. */
export async function installsOf({ env, platform }: Pick<Machine, "env" | "platform">): Promise<Install[]> {
  const name = platform === "win32" ? "openclaw.cmd" : "openclaw";
  const found = await findOnPath(name, env.PATH);
  return await Promise.all(found.map(async (path) => ({ path, ...(await packageOf(path)) })));
}

/** The manifest above what a link points to, or of npm's package folder beside a Windows shim. */
export async function packageOf(path: string): Promise<Partial<Omit<Install, "path">>> {
  const entry = await realpath(path).catch(() => path);
  let at = dirname(entry);
  for (let up = 0; up < MAX_UP; up++, at = dirname(at)) {
    const manifest = await manifestIn(at);
    if (manifest !== undefined) return { ...manifest, entry };
  }
  return (await manifestIn(join(dirname(path), "node_modules", "openclaw"))) ?? {};
}

async function manifestIn(folder: string): Promise<Omit<Install, "path"> | undefined> {
  try {
    const text = await readFile(join(folder, "package.json"), "utf8");
    const { name, version, engines } = JSON.parse(text) as Record<string, unknown>;
    if (!["openclaw", "clawdbot", "moltbot"].includes(String(name))) return undefined;
    const node = (engines as { node?: unknown } | undefined)?.node;
    return { folder, version: String(version), ...(typeof node === "string" ? { nodeRange: node } : {}) };
  } catch {
    return undefined;
  }
}
