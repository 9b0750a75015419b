import { type FileHandle, open, stat } from "node:fs/promises";
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

/** How often files are opened that are rotated meanwhile, before only what is sure is read. */
const TRIES = 10;

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

interface OpenLog {
  readonly file: FileHandle;
  readonly ino: number;
  readonly size: number;
}

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
    return await this.#readOn((await this.#openBack(() => false)).opened);
  }

  /** What was added since the last call. Rotated files are read to their end first, however many there were. */
  async readNew(): Promise<SourcedLine[]> {
    const isOurs = ({ ino }: OpenLog) => this.#inode === 0 || ino === this.#inode;
    const { opened, isWhole } = await this.#openBack(isOurs);
    if (isWhole) return await this.#readOn(opened);
    // what is newer than the file that was read last is for the next call
    await closeAll(opened.filter((one) => !isOurs(one)));
    return await this.#readOn(opened.filter(isOurs));
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
    let isReached = false;
    for await (const { file, ino, size } of this.#filesBack()) {
      try {
        isReached ||= ino === this.#inode;
        if (!isReached) continue; // newer than what was read, or rotated meanwhile
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

  /**
   * The log's files from the newest that `isFirst` is true for on, else all there are; oldest first, and all open before
   * the first is read: what is rotated meanwhile changes nothing. What is rotated while they are opened may bring a newer file behind
   * an older one: then it is tried again. `isWhole` is false if it never came to rest.
   */
  async #openBack(isFirst: (file: OpenLog) => boolean): Promise<{ opened: OpenLog[]; isWhole: boolean }> {
    for (let tries = 1; ; tries++) {
      const newest = await this.#inodeNow();
      const opened: OpenLog[] = [];
      for await (const one of this.#filesBack()) {
        opened.unshift(one);
        if (isFirst(one)) break;
      }
      const isWhole = newest === (await this.#inodeNow());
      if (isWhole || tries === TRIES) return { opened, isWhole };
      await closeAll(opened);
    }
  }

  async #inodeNow(): Promise<number | undefined> {
    return (await stat(this.#path).catch(() => undefined))?.ino;
  }

  /** Reads and closes them. */
  async #readOn(opened: readonly OpenLog[]): Promise<SourcedLine[]> {
    try {
      const lines: SourcedLine[] = [];
      for (const one of opened) lines.push(...(await this.#readFrom(one)));
      return lines;
    } finally {
      await closeAll(opened);
    }
  }

  /**
   * The log and its rotated predecessors, newest first, each once; whoever takes one closes it. A rotation moves files
   * towards where they are still looked for, so that none is passed over.
   */
  async *#filesBack(): AsyncGenerator<OpenLog> {
    const seen = new Set<number>();
    let missing = 0;
    // one that is just moved is nowhere for a moment
    for (let i = 0; i <= MAX_KEPT && missing < 2; i++) {
      const file = await open(i === 0 ? this.#path : `${this.#path}.${i}`, "r").catch(() => undefined);
      missing = file === undefined ? missing + 1 : 0;
      if (file === undefined) continue;
      const { ino, size } = await file.stat();
      if (seen.has(ino)) {
        await file.close();
        continue;
      }
      seen.add(ino);
      yield { file, ino, size };
    }
  }

  async #readFrom({ file, ino, size }: OpenLog): Promise<SourcedLine[]> {
    if (ino !== this.#inode || size < this.#offset) {
      this.#inode = ino;
      this.#offset = 0;
      this.#rest = "";
    }
    const start = Math.max(this.#offset, size - MAX_READ_BACK);
    if (size <= start) return [];
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    this.#offset = start + bytesRead;
    const text = this.#rest + buffer.subarray(0, bytesRead).toString();
    const complete = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(complete);
    return this.#parse(text.slice(0, complete));
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

async function closeAll(opened: readonly OpenLog[]): Promise<void> {
  for (const { file } of opened) await file.close();
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
