import { chmodSync, closeSync, openSync, renameSync } from "node:fs";

const PRIVATE_FILE = 0o600;

/** The files SQLite keeps beside a database: its write-ahead log and that log's index. */
const COMPANIONS = ["", "-wal", "-shm"];

/** Makes the file of a database with its mode before SQLite opens it: what is in there is nobody else's business. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, "a", PRIVATE_FILE));
  chmodSync(path, PRIVATE_FILE);
}

/** Moves a database that cannot be used aside, with all that belongs to it; returns its new path. `now` is wall-clock milliseconds. */
export function setAside(path: string, now: number): string {
  const aside = `${path}.corrupt-${new Date(now).toISOString().replace(/[:.]/g, "-")}`;
  for (const companion of COMPANIONS) moveIfThere(path + companion, aside + companion);
  return aside;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB: the file itself is broken, and trying again will not help. */
export function isCorruption(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && ((code & 0xff) === 11 || (code & 0xff) === 26);
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
