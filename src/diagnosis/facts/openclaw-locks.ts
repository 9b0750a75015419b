import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessFacts } from "../../host/types.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

/** A lock that an OpenClaw gateway holds while it lives; it is left behind when the gateway is killed. */
export interface OpenClawLock {
  readonly path: string;
  readonly pid: number;
  /** In the host's own form (Linux: clock ticks since boot); older versions do not write it. */
  readonly startTime: string | undefined;
  readonly createdAt: string | undefined;
  readonly port: number | undefined;
}

/** `btime` is in whole seconds. */
const CLOCK_ERROR_MS = 2_000;

const OTHERS_WRITE = 0o022;

/** An OpenClaw that began before this is not starting any more (knowledge: cold starts of 8 to 24 s were seen). */
const YOUNG_MS = 60_000;

/** Reads the locks below OpenClaw's state folders, and where versions before 2026.8 kept them. */
export async function readOpenClawLocks(
  dirs: readonly string[],
  tempDir: string,
  uid: number | undefined,
): Promise<OpenClawLock[]> {
  const folders = [...dirs.map((dir) => join(dir, "tmp")), tempDir];
  const locks = await Promise.all(folders.map((folder) => locksBelow(folder, uid)));
  return locks.flat();
}

async function locksBelow(folder: string, uid: number | undefined): Promise<OpenClawLock[]> {
  const names = await readdir(folder).catch(() => []);
  const owned = names.filter((name) => /^(openclaw|clawdbot|moltbot)(-\d+)?$/.test(name));
  const locks = await Promise.all(
    owned.map(async (name) => {
      if (!(await isOwn(join(folder, name), uid))) return [];
      const inner = await readdir(join(folder, name)).catch(() => []);
      const paths = inner
        .filter((file) => /^gateway\.[\w.-]*lock$/.test(file))
        .map((file) => join(folder, name, file));
      return await Promise.all(paths.map((path) => readLock(path, uid)));
    }),
  );
  return locks.flat().filter((lock) => lock !== undefined);
}

/** Another user could write anything there: what a lock says is believed only if it is this user's. */
async function isOwn(path: string, uid: number | undefined): Promise<boolean> {
  if (uid === undefined) return true;
  const facts = await lstat(path).catch(() => undefined);
  return (
    facts !== undefined && !facts.isSymbolicLink() && facts.uid === uid && (facts.mode & OTHERS_WRITE) === 0
  );
}

async function readLock(path: string, uid: number | undefined): Promise<OpenClawLock | undefined> {
  if (!(await isOwn(path, uid))) return undefined;
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    if (typeof value.pid !== "number") return undefined;
    return {
      path,
      pid: value.pid,
      startTime: typeof value.startTime === "number" ? String(value.startTime) : undefined,
      createdAt: typeof value.createdAt === "string" ? value.createdAt : undefined,
      port: typeof value.port === "number" ? value.port : undefined,
    };
  } catch {
    return undefined; // being written, or no lock
  }
}

/**
 * Whose lock it is now. `gone`: nobody has this pid; `other`: a process that started later, or is no gateway, has
 * it (containers give the same low pids again and again, #1572, #75028).
 */
export function lockOwner(
  lock: OpenClawLock,
  processes: readonly ProcessFacts[],
): "held" | "gone" | "other" | "unknown" {
  const owner = processes.find(({ pid }) => pid === lock.pid);
  if (owner === undefined || owner.state === "zombie") return "gone";
  if (lock.startTime !== undefined) return owner.startTime === lock.startTime ? "held" : "other";
  // whoever began after the lock was written did not write it
  const lockedAt = Date.parse(lock.createdAt ?? "");
  if (owner.startedAt !== undefined && owner.startedAt > lockedAt + CLOCK_ERROR_MS) return "other";
  if (/\bnode\b|openclaw|clawdbot|moltbot/.test(`${owner.executable ?? ""} ${owner.command}`))
    return "unknown";
  return "other";
}

export const openclawLocks: Look = {
  id: "openclaw-locks",
  what: "locks of OpenClaw gateways",
  async look(machine: Machine) {
    if (!(await machine.isOpenClaw())) return [];
    const [locks, processes] = await Promise.all([machine.openclawLocks(), machine.processes()]);
    const facts: Fact[] = [];
    for (const lock of locks) {
      const { path, pid, createdAt } = lock;
      const since = createdAt === undefined ? {} : { at: createdAt };
      const owner = lockOwner(lock, processes);
      if (owner === "gone") {
        const detail = `a gateway began at ${createdAt ?? "an unknown time"} as pid ${pid} and never said that it ended: its lock is still there`;
        facts.push({ id: "lock-left-behind", detail, source: path, ...since });
      }
      if (owner === "other") {
        const command = processes.find((one) => one.pid === pid)?.command ?? "";
        const detail = `the lock names pid ${pid}, which is another process now: ${command}`;
        facts.push({ id: "lock-of-another", detail, source: path, ...since });
      }
      if (owner !== "held") continue;
      facts.push({ id: "lock-held", detail: `held by pid ${pid}`, source: path, ...since });
      const ageMs = machine.clock.wall() - Date.parse(createdAt ?? "");
      if (ageMs < YOUNG_MS) {
        const detail = `pid ${pid} began ${Math.round(ageMs / 1000)} s ago; OpenClaw takes 8 to 24 s to be ready`;
        facts.push({ id: "gateway-young", detail, source: path, ...since });
      }
    }
    return facts;
  },
};
