import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parseRunLog, type RunRecord } from "../core/run-record.ts";

/** Reads what was added to the run log since the last call; a log that was rotated is read from its beginning. */
export class RunLogTail {
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #half = "";

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
      if (ino !== this.#inode || size < this.#offset) {
        this.#inode = ino;
        this.#offset = 0;
        this.#half = "";
      }
      const bytes = Buffer.alloc(size - this.#offset);
      this.#offset += readSync(file, bytes, 0, bytes.length, this.#offset);
      const text = this.#half + bytes.toString();
      const end = text.lastIndexOf("\n") + 1;
      this.#half = text.slice(end);
      return parseRunLog(text.slice(0, end));
    } finally {
      closeSync(file);
    }
  }
}
