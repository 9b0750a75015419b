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

/** A lock that changes hands this often under us is contended beyond what a person could cause. */
const MAX_TRIES = 20;

/**
 * Takes the lock, also over from an owner that is gone. Throws ALREADY_RUNNING naming a living owner.
 *
 * The lock is a file that appears with its content in one step (`link`). A stale one is first renamed away and
 * looked at again: if somebody else took it over in between, it is put back.
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
      await moveAway(path, text);
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

async function moveAway(path: string, expected: string): Promise<void> {
  const aside = `${path}.stale.${randomBytes(4).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  const text = await readFile(aside, "utf8").catch(() => "");
  if (text !== expected) await tryLink(aside, path);
  await rm(aside, { force: true });
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
