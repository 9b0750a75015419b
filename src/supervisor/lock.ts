import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { ClawkitError, systemErrorCode } from "../core/errors.ts";
import { PRIVATE_FILE } from "../host/files.ts";
import type { Host } from "../host/types.ts";

/** Who owns a state directory. The start time makes it survive the reuse of a pid. */
export interface LockOwner {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

export interface Lock {
  release(): Promise<void>;
}

/** Tries, and the pause between them, while somebody else is just taking over. */
const MAX_TRIES = 200;
const PAUSE_MS = 5;

/**
 * Takes the lock, also over from an owner that is gone. Throws ALREADY_RUNNING naming a living owner.
 *
 * The lock is a file that appears with its content in one step (`link`). A stale one is replaced in one step
 * too (`rename`), by whoever holds the guard file beside it, so that of many at once exactly one wins.
 */
export async function acquireLock(path: string, self: LockOwner, host: Host): Promise<Lock> {
  const mine = `${path}.${self.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(mine, JSON.stringify(self), { mode: PRIVATE_FILE, flag: "wx" });
  try {
    for (let i = 0; i < MAX_TRIES; i++) {
      if (await tryLink(mine, path)) return { release: () => release(path, self) };
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) continue; // released just now
      const owner = parseOwner(text);
      if (owner !== undefined && (await isAlive(owner, host))) {
        throw new ClawkitError(
          "ALREADY_RUNNING",
          `Cannot take ${path} as it belongs to a running supervisor: pid ${owner.pid}`,
        );
      }
      if (await replaceStale(path, { mine, stale: text, host }))
        return { release: () => release(path, self) };
    }
  } finally {
    await rm(mine, { force: true });
  }
  throw new ClawkitError("ALREADY_RUNNING", `Cannot take ${path}: it keeps changing hands`);
}

/** The owner recorded in the lock file, dead or alive; undefined if there is none. */
export async function readLockOwner(path: string): Promise<LockOwner | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseOwner(text);
}

export async function isAlive(owner: LockOwner, host: Host): Promise<boolean> {
  if ((await host.bootId()) !== owner.bootId) return false;
  const facts = await host.process(owner.pid);
  return facts !== undefined && facts.startTime === owner.startTime && facts.state !== "zombie";
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** False if somebody else was faster, or is at it. */
async function replaceStale(
  path: string,
  options: { mine: string; stale: string; host: Host },
): Promise<boolean> {
  const { mine, stale, host } = options;
  const guard = `${path}.takeover`;
  if (!(await tryLink(mine, guard))) {
    const other = await readLockOwner(guard);
    const isAbandoned = other !== undefined && !(await isAlive(other, host));
    if (isAbandoned) await rm(guard, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return false;
  }
  try {
    if ((await readFile(path, "utf8").catch(() => undefined)) !== stale) return false;
    await rename(mine, path);
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

async function release(path: string, self: LockOwner): Promise<void> {
  const owner = await readLockOwner(path);
  if (owner?.pid === self.pid && owner.startTime === self.startTime) await rm(path, { force: true });
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startTime, bootId } = value as Partial<LockOwner>;
    if (typeof pid !== "number" || typeof startTime !== "string" || typeof bootId !== "string")
      return undefined;
    return { pid, startTime, bootId };
  } catch {
    return undefined;
  }
}
