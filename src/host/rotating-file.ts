import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, systemErrorCode } from "../core/errors.ts";
import { PRIVATE_FILE } from "./files.ts";

/** Bytes that may wait for a slow disk; what comes on top is dropped and counted. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** After a failed write (a full disk), this long nothing is tried: the gateway matters more than its log. */
const RETRY_MS = 5_000;

export interface RotatingFileOptions {
  readonly maxBytes: number;
  /** Older files kept, as `<path>.1` (newest) to `<path>.<keep>`. */
  readonly keep: number;
  /** Wall-clock milliseconds. */
  readonly wall: () => number;
  /** Told once when writing stops working, and once when it works again. */
  readonly onTrouble: (message: string) => void;
}

/**
 * A log file with a bound. `write` never waits and never throws; lines are written in order, in batches. A full
 * or broken disk loses lines, which are counted in a line once writing works again.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #size = 0;
  #queue: string[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #failedAt: number | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, options: RotatingFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Appends a line (without its line end). */
  write(line: string): void {
    const bytes = line.length + 1;
    if (this.#queuedBytes + bytes > MAX_QUEUED_BYTES) {
      this.#dropped++;
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += bytes;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything queued so far is written, or was given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // collect what is written in the same turn
    while (this.#queue.length > 0) {
      const lines = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      await this.#writeBatch(lines);
    }
    this.#writing = undefined;
  }

  async #writeBatch(lines: string[]): Promise<void> {
    const { wall, onTrouble } = this.#options;
    const sinceFailure = this.#failedAt === undefined ? RETRY_MS : wall() - this.#failedAt;
    if (sinceFailure >= 0 && sinceFailure < RETRY_MS) {
      this.#dropped += lines.length;
      return;
    }
    try {
      const lost =
        this.#dropped === 0 ? [] : [`${new Date(wall()).toISOString()} log (${this.#dropped} lines lost)`];
      for (const text of inPieces([...lost, ...lines], this.#options.maxBytes)) {
        await this.#makeRoom(Buffer.byteLength(text));
        await this.#file!.appendFile(text);
        this.#size += Buffer.byteLength(text);
      }
      this.#dropped = 0;
      if (this.#failedAt !== undefined) onTrouble(`Writing ${this.#path} works again`);
      this.#failedAt = undefined;
    } catch (error) {
      this.#dropped += lines.length;
      if (this.#failedAt === undefined) onTrouble(`Cannot write ${this.#path}: ${messageOf(error)}`);
      this.#failedAt = wall();
      await this.#file?.close().catch(() => undefined);
      this.#file = undefined;
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (this.#file === undefined) await this.#open();
    if (this.#size === 0 || this.#size + bytes <= this.#options.maxBytes) return;
    await this.#file!.close();
    this.#file = undefined;
    await rotate(this.#path, this.#options.keep);
    await this.#open();
  }

  async #open(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    this.#file = await open(this.#path, "a", PRIVATE_FILE);
    this.#size = (await this.#file.stat()).size;
  }
}

/** Joins lines to texts of at most `maxBytes` each, as far as a single line allows. */
function inPieces(lines: readonly string[], maxBytes: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  let bytes = 0;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line) + 1;
    if (bytes + lineBytes > maxBytes && piece !== "") {
      pieces.push(piece);
      piece = "";
      bytes = 0;
    }
    piece += `${line}\n`;
    bytes += lineBytes;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}

async function rotate(path: string, keep: number): Promise<void> {
  await rm(`${path}.${keep}`, { force: true });
  for (let i = keep - 1; i >= 1; i--) {
    await rename(`${path}.${i}`, `${path}.${i + 1}`).catch(() => undefined);
  }
  await rename(path, `${path}.1`).catch((error) => {
    if (systemErrorCode(error) !== "ENOENT") throw error; // somebody deleted it: nothing to keep
  });
}
