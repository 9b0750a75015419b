import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { parseRunLog, type RunRecord } from "../core/run-record.ts";

const NEWLINE = 0x0a;

/**
 * Reads what was added to the run log since the last call. A log that was rotated meanwhile is read from the
 * beginning of what was rotated away: taking over a record twice changes nothing, missing one would.
 */
export class RunLogTail {
  readonly #path: string;
  #inode = 0;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): RunRecord[] {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      return []; // nothing has run yet
    }
    try {
      const { ino, size } = fstatSync(file);
      const isRotated = ino !== this.#inode; // or read for the first time
      if (isRotated || size < this.#offset) this.#offset = 0;
      this.#inode = ino;
      const bytes = Buffer.alloc(size - this.#offset);
      const length = readSync(file, bytes, 0, bytes.length, this.#offset);
      // half a line is read again when it is whole
      const end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
      this.#offset += end;
      const added = parseRunLog(bytes.toString("utf8", 0, end));
      return isRotated ? [...this.#rotatedAway(), ...added] : added;
    } finally {
      closeSync(file);
    }
  }

  #rotatedAway(): RunRecord[] {
    try {
      return parseRunLog(readFileSync(`${this.#path}.1`, "utf8"));
    } catch {
      return []; // somebody deleted it
    }
  }
}
