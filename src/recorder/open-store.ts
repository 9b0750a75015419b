import { messageOf } from "../core/errors.ts";
import { isCorruption, makePrivateFile, setAside } from "./database-file.ts";
import { MemoryStore } from "./memory-store.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { RecorderStore } from "./store.ts";

export interface OpenedStore {
  readonly store: RecorderStore;
  /** What the user must know: the old file was broken, or no file can be used. */
  readonly announcement?: string;
}

/**
 * Opens the store for writing. A corrupt file is moved aside and a new one begun; where no file can be used at
 * all, records are kept in memory. Throws nothing: a gateway is worth more than its records.
 */
export function openStore(path: string, now: number): OpenedStore {
  try {
    return { store: openFile(path) };
  } catch (error) {
    if (!isCorruption(error)) return inMemory(path, error);
  }
  return replaceStore(path, now);
}

/** Moves a corrupt store aside and begins a new one. */
export function replaceStore(path: string, now: number): OpenedStore {
  try {
    const aside = setAside(path, now);
    const announcement = `the flight recorder's store was corrupt: it is kept as ${aside}, and a new one was begun`;
    return { store: openFile(path), announcement };
  } catch (error) {
    return inMemory(path, error);
  }
}

function openFile(path: string): SqliteStore {
  makePrivateFile(path);
  return new SqliteStore(path);
}

/** The store for a machine whose disk cannot be used. */
export function inMemory(path: string, error: unknown): OpenedStore {
  const announcement = `Cannot use ${path} (${messageOf(error)}): the flight recorder keeps its records in memory until the edge starts again`;
  return { store: new MemoryStore(), announcement };
}
