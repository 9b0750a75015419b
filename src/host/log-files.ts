import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LogLine, parseLogLine } from "../core/log-line.ts";

export const LOG_SOURCES = ["gateway", "edge", "supervisor", "control"] as const;
export type LogSource = (typeof LOG_SOURCES)[number];

export interface SourcedLine extends LogLine {
  readonly source: LogSource;
}

/** Stable: lines of one file keep their order even if the wall clock went back. */
export function mergeLines(files: readonly SourcedLine[][]): SourcedLine[] {
  return files.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** Bytes of each file that are read back for a first look. */
const MAX_READ_BACK = 8 * 1024 * 1024;

/** Older files that are looked for. */
const MAX_KEPT = 100;

/** One log with its rotated predecessors; remembers how far it was read. */
export class LogFile {
  readonly #source: LogSource;
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = "";

  constructor(source: LogSource, logsDir: string) {
    this.#source = source;
    this.#path = join(logsDir, `${source}.log`);
  }

  /** Everything there is, oldest first, rotated files included. */
  async readAll(): Promise<SourcedLine[]> {
    const lines: SourcedLine[] = [];
    for (let i = MAX_KEPT; i >= 1; i--) {
      const text = await readFile(`${this.#path}.${i}`, "utf8").catch(() => undefined);
      if (text !== undefined) lines.push(...this.#parse(text.slice(-MAX_READ_BACK)));
    }
    lines.push(...(await this.readNew()));
    return lines;
  }

  /** What was added since the last call. Rotated files are read to their end first, however many there were. */
  async readNew(): Promise<SourcedLine[]> {
    const facts = await stat(this.#path).catch(() => undefined);
    if (facts === undefined) return [];
    const lines: SourcedLine[] = [];
    if (this.#inode !== 0 && (facts.ino !== this.#inode || facts.size < this.#offset)) {
      for (let i = await this.#rotatedTo(); i >= 1; i--) {
        lines.push(...(await this.#readFrom(`${this.#path}.${i}`)));
        this.#offset = 0;
      }
      this.#offset = 0;
      this.#rest = "";
    }
    this.#inode = facts.ino;
    lines.push(...(await this.#readFrom(this.#path)));
    return lines;
  }

  /** The number of the rotated file that was the current one; 0 if it is gone. */
  async #rotatedTo(): Promise<number> {
    for (let i = 1; i <= MAX_KEPT; i++) {
      const facts = await stat(`${this.#path}.${i}`).catch(() => undefined);
      if (facts === undefined) return 0;
      if (facts.ino === this.#inode) return i;
    }
    return 0;
  }

  async #readFrom(path: string): Promise<SourcedLine[]> {
    const file = await open(path, "r").catch(() => undefined);
    if (file === undefined) return [];
    try {
      const { size } = await file.stat();
      const start = Math.max(this.#offset, size - MAX_READ_BACK);
      if (size <= start) return [];
      const bytes = Buffer.alloc(size - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      this.#offset = start + bytesRead;
      const text = this.#rest + bytes.subarray(0, bytesRead).toString();
      const complete = text.lastIndexOf("\n") + 1;
      this.#rest = text.slice(complete);
      return this.#parse(text.slice(0, complete));
    } finally {
      await file.close();
    }
  }

  #parse(text: string): SourcedLine[] {
    const lines: SourcedLine[] = [];
    for (const raw of text.split("\n")) {
      const line = parseLogLine(raw);
      if (line !== undefined) lines.push({ ...line, source: this.#source });
    }
    return lines;
  }
}
