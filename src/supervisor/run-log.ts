import { appendFile, open, readFile, stat } from "node:fs/promises";
import { parseRunLog, type RunRecord, unfinishedRuns } from "../core/run-record.ts";
import { PRIVATE_FILE, writeFileAtomic } from "../host/files.ts";

/** A run log beyond this is renamed to `runs.jsonl.1`; a new one begins with what is not over yet. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Characters of one of the last lines that go into a record. */
const MAX_LINE = 1_000;

/** The append-only log of starts and ends, bounded. Every record is on disk before `append` resolves. */
export class RunLog {
  readonly #path: string;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends in call order. A failed write is the caller's to report; it never stops later ones. */
  append(record: RunRecord): Promise<void> {
    const written = this.#tail.then(() => this.#write(record));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  async read(): Promise<RunRecord[]> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    return parseRunLog(text);
  }

  /** Ends a line that a crash left half written. */
  async prepare(): Promise<void> {
    const size = await this.#size();
    if (size === 0) return;
    const file = await open(this.#path, "r+");
    try {
      const last = Buffer.alloc(1);
      await file.read(last, 0, 1, size - 1);
      if (last.toString() !== "\n") await file.write("\n", size);
    } finally {
      await file.close();
    }
  }

  async #write(record: RunRecord): Promise<void> {
    if ((await this.#size()) > MAX_BYTES) await this.#rotate();
    await appendFile(this.#path, toLine(record), { mode: PRIVATE_FILE, flush: true });
  }

  /** Leftovers and the generation must survive: the new file begins with unfinished starts and the last record. */
  async #rotate(): Promise<void> {
    const records = await this.read();
    const last = records.findLast((record) => record.role === "gateway");
    const kept = new Set([...unfinishedRuns(records), ...(last === undefined ? [] : [last])]);
    await writeFileAtomic(`${this.#path}.1`, records.map(toLine).join(""));
    await writeFileAtomic(this.#path, [...kept].map(toLine).join(""));
  }

  #size(): Promise<number> {
    return stat(this.#path).then(
      (facts) => facts.size,
      () => 0,
    );
  }
}

function toLine(record: RunRecord): string {
  if (record.event !== "end") return `${JSON.stringify(record)}\n`;
  const lastLines = record.lastLines.map((line) => line.slice(0, MAX_LINE));
  return `${JSON.stringify({ ...record, lastLines })}\n`;
}
