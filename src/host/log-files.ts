import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LogLevel, levelOf } from "../core/log-level.ts";
import { type LogLine, parseLogLine } from "../core/log-line.ts";

export const LOG_SOURCES = ["gateway", "edge", "supervisor", "control"] as const;
export type LogSource = (typeof LOG_SOURCES)[number];

export interface SourcedLine extends LogLine {
  readonly source: LogSource;
}

export interface LogEntry extends SourcedLine {
  readonly level: LogLevel;
}

export function entryOf(line: SourcedLine): LogEntry {
  return { ...line, level: levelOf(line) };
}

/** Stable: lines of one file keep their order even if the wall clock went back. */
export function mergeLines(files: readonly SourcedLine[][]): SourcedLine[] {
  return files.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** Bytes of each file that are read back for a first look. */
const MAX_READ_BACK = 8 * 1024 * 1024;

/** Older files that are looked for. */
const MAX_KEPT = 100;

/** What a look back is to find. */
export interface LookBack {
  readonly wanted: (line: SourcedLine) => boolean;
  readonly limit: number;
  /** ISO 8601: what was printed before is not looked for. */
  readonly since?: string;
}

/** Of each log, read at once while looking back, and in all: a filter that fits nothing must end, too. */
const BLOCK_BYTES = 256 * 1024;
const MAX_LOOK_BACK = 64 * 1024 * 1024;

/** Characters of lines that a look back returns; a line has at most 16 Ki. */
const MAX_FOUND = 1024 * 1024;

/** One log with its rotated predecessors; remembers how far it was read. */
export class LogFile {
  readonly source: LogSource;
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = "";

  constructor(source: LogSource, logsDir: string) {
    this.source = source;
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

  /** Passes over what there is, up to the end of its last whole line. */
  async goToEnd(): Promise<void> {
    const file = await open(this.#path, "r").catch(() => undefined);
    if (file === undefined) return;
    try {
      const { ino, size } = await file.stat();
      const from = Math.max(0, size - BLOCK_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      this.#inode = ino;
      this.#offset = from + buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1;
    } finally {
      await file.close();
    }
  }

  /**
   * The last lines that are wanted, oldest first, from where it was read to (before its first read: its end) back
   * through the rotated files. `readNew` goes on where this began.
   */
  async readBack({ wanted, limit, since = "" }: LookBack): Promise<SourcedLine[]> {
    if (this.#inode === 0) await this.goToEnd();
    const found: SourcedLine[] = [];
    let characters = 0;
    let bytes = 0;
    const seen = new Set<number>();
    for (let i = 0; i <= MAX_KEPT; i++) {
      const file = await open(i === 0 ? this.#path : `${this.#path}.${i}`, "r").catch(() => undefined);
      if (file === undefined && i === 0) continue; // just rotated
      if (file === undefined) break;
      try {
        const { ino, size } = await file.stat();
        // what is newer than what was read, or was rotated meanwhile
        if ((seen.size === 0 && ino !== this.#inode) || seen.has(ino)) continue;
        seen.add(ino);
        for await (const text of textsBack(file, ino === this.#inode ? this.#offset : size)) {
          const lines = this.#parse(text);
          for (const line of lines.reverse()) {
            if (line.time < since || !wanted(line)) continue;
            characters += line.text.length;
            if (found.length === limit || characters > MAX_FOUND) return found.reverse();
            found.push(line);
          }
          bytes += BLOCK_BYTES;
          const isOlder = lines.length > 0 && lines.every(({ time }) => time < since);
          if (isOlder || bytes >= MAX_LOOK_BACK) return found.reverse();
        }
      } finally {
        await file.close();
      }
    }
    return found.reverse();
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
      if (line !== undefined) lines.push({ ...line, source: this.source });
    }
    return lines;
  }
}

/** Whole lines of a file before `end`, a block at a time, the last ones first. */
async function* textsBack(file: FileHandle, end: number): AsyncGenerator<string> {
  let rest = Buffer.alloc(0); // the end of a line that begins in the block before
  let isFirst = true;
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - BLOCK_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    let block = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    to = from;
    // at the end may be a line that is still being written
    if (isFirst) block = block.subarray(0, block.lastIndexOf("\n") + 1);
    isFirst = false;
    const begin = from === 0 ? 0 : block.indexOf("\n") + 1;
    // a block without any line end is none of our logs
    rest = Buffer.from(begin === 0 && from > 0 ? [] : block.subarray(0, begin));
    yield block.subarray(begin).toString();
  }
}
