import { existsSync } from "node:fs";
import { ClawkitError, messageOf } from "../core/errors.ts";
import { Chronicle } from "./chronicle.ts";
import { isCorruption } from "./database-file.ts";
import { MemoryStore } from "./memory-store.ts";
import { RunLogTail } from "./run-log-tail.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { RecorderStore } from "./store.ts";

/**
 * The store for a command that looks. While a supervisor lives its recorder writes, and this only reads. When none
 * lives, what the run log has beyond the store is taken over first: after a kill -9 of everything that is where
 * the story is. Throws STATE_UNUSABLE for a broken file.
 */
export function openToRead(
  paths: { readonly recorder: string; readonly runLog: string },
  now: {
    readonly isRecording: boolean;
    readonly wall: number;
    readonly bootId: string;
    readonly maxAgeMs: number;
  },
): RecorderStore {
  try {
    if (now.isRecording) return readOnly(paths.recorder);
    return caughtUp(paths, now);
  } catch (cause) {
    if (cause instanceof ClawkitError) throw cause;
    const broken = isCorruption(cause)
      ? "it is corrupt: the next start keeps it aside and begins a new one"
      : messageOf(cause);
    throw new ClawkitError("STATE_UNUSABLE", `Cannot read ${paths.recorder}: ${broken}`, { cause });
  }
}

/** Throws STATE_UNUSABLE if a newer ClawKit wrote the store: to be found out before anything is stopped. */
export function refuseNewerStore(path: string): void {
  try {
    readOnly(path).close();
  } catch (error) {
    if (error instanceof ClawkitError) throw error;
    // a broken file stops no start: it is kept aside then, and a new one begun
  }
}

function caughtUp(
  paths: { recorder: string; runLog: string },
  now: { wall: number; bootId: string; maxAgeMs: number },
): RecorderStore {
  const store = existsSync(paths.recorder) ? openWritable(paths.recorder) : new MemoryStore();
  if (store === undefined) return readOnly(paths.recorder);
  store.transaction(() => {
    const chronicle = new Chronicle(store);
    chronicle.takeRuns(new RunLogTail(paths.runLog).read(), now.wall - now.maxAgeMs);
    chronicle.nobodyLives(now.bootId);
    chronicle.closeOrphans(undefined, now.wall);
  });
  return store;
}

/** Undefined if this user may only read. */
function openWritable(path: string): SqliteStore | undefined {
  try {
    return new SqliteStore(path);
  } catch (error) {
    if (isCorruption(error) || error instanceof ClawkitError) throw error;
    return undefined;
  }
}

/** Empty while the recorder has not made its tables. */
function readOnly(path: string): RecorderStore {
  if (!existsSync(path)) return new MemoryStore();
  try {
    return new SqliteStore(path, { readOnly: true });
  } catch (error) {
    if (error instanceof ClawkitError && error.code === "NOTHING_RECORDED") return new MemoryStore();
    throw error;
  }
}
