import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessEnd } from "../core/process-end.ts";
import type { ExitVerdict, Role } from "../core/run-record.ts";
import { withoutSecrets, withoutSecretsIn } from "../core/secrets.ts";
import { PRIVATE_FILE } from "../host/files.ts";
import type { CgroupMemory } from "../host/types.ts";
import type { NodeReport } from "./node-report.ts";
import type { UsageLook } from "./process-watch.ts";

/** Crash folders that are kept, the newest, and their bytes in all. */
const MAX_FOLDERS = 50;
const MAX_BYTES = 100 * 1024 * 1024;

/** `crash.json` of a crash folder. Times are ISO 8601, UTC. */
export interface Crash {
  readonly v: 1;
  readonly name: string;
  readonly role: Role;
  readonly generation: number;
  readonly pid: number;
  readonly command: string;
  readonly configHash: string | null;
  readonly endedAt: string;
  readonly uptimeMs: number;
  readonly end: ProcessEnd;
  readonly exit: ExitVerdict;
  readonly peakRssBytes: number | null;
  readonly peakHeapBytes: number | null;
  /** RSS and open files of its last minutes. */
  readonly usage: readonly UsageLook[];
  readonly cgroup: { readonly before: CgroupMemory | null; readonly after: CgroupMemory | null };
  /** False if the kernel's log could not be read. */
  readonly kernelLogRead: boolean;
}

export interface CrashFiles {
  readonly crash: Crash;
  readonly output: readonly string[];
  readonly kernelLines?: readonly string[];
  readonly report?: NodeReport;
}

/** `2026-11-22T14-03-22-123Z-g7`: sorts by time, and is a file name everywhere. */
export function crashName(endedAt: Date, role: Role, generation: number): string {
  const time = endedAt.toISOString().replace(/[:.]/g, "-");
  return `${time}-${role === "gateway" ? "" : `${role}-`}${generation}`;
}

/** Writes a crash folder, without the secrets that `known` names or that look like some. */
export async function writeCrash(
  crashesDir: string,
  files: CrashFiles,
  known: readonly string[],
): Promise<void> {
  const folder = join(crashesDir, files.crash.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: PRIVATE_FILE });
  const writeLines = (name: string, lines: readonly string[]) =>
    write(name, withoutSecrets(lines.map((line) => `${line}\n`).join(""), known));
  await writeLines("output.log", files.output);
  if (files.kernelLines !== undefined) {
    await writeLines("kernel.log", files.kernelLines);
  }
  if (files.report !== undefined) {
    await write("report.json", `${JSON.stringify(withoutSecretsIn(files.report, known), null, 1)}\n`);
  }
  // last: a folder with it is whole
  await write("crash.json", `${JSON.stringify(withoutSecretsIn(files.crash, known), null, 2)}\n`);
  await pruneCrashes(crashesDir);
}

/** Crashes that were kept whole, newest first. */
export async function listCrashes(crashesDir: string): Promise<Crash[]> {
  const crashes: Crash[] = [];
  for (const name of (await folderNames(crashesDir)).reverse()) {
    const text = await readFile(join(crashesDir, name, "crash.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    try {
      crashes.push(JSON.parse(text) as Crash);
    } catch {
      // a power cut in mid-write
    }
  }
  return crashes;
}

async function pruneCrashes(crashesDir: string): Promise<void> {
  const names = (await folderNames(crashesDir)).reverse();
  let bytes = 0;
  for (const [index, name] of names.entries()) {
    bytes += await bytesOf(join(crashesDir, name));
    if (index > 0 && (index >= MAX_FOLDERS || bytes > MAX_BYTES)) {
      await rm(join(crashesDir, name), { recursive: true, force: true });
    }
  }
}

async function folderNames(crashesDir: string): Promise<string[]> {
  const names = await readdir(crashesDir).catch(() => []);
  return names.filter((name) => /^\d{4}-/.test(name)).sort();
}

async function bytesOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
