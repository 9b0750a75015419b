import { appendFile, open, readFile, rename, stat } from "node:fs/promises";
import type { ProcessEnd } from "../core/process-end.ts";
import { PRIVATE_FILE } from "../host/files.ts";

/** Which of our processes a record is about. */
export type Role = "supervisor" | "edge" | "gateway";

/**
 * One line of `run/runs.jsonl`. Later readers (the recorder, the doctor) learn from it what happened while
 * nobody else looked, so every record says which boot and which exact process it is about.
 */
export type RunRecord = {
  readonly v: 1;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly bootId: string;
  readonly role: Role;
  readonly generation: number;
  readonly pid: number;
} & (
  | {
      readonly event: "start";
      readonly startTime: string;
      readonly command: string;
      readonly ownGroup: boolean;
    }
  | { readonly event: "ready" }
  | {
      readonly event: "end";
      readonly end: ProcessEnd;
      readonly uptimeMs: number;
      /** The last 50 lines it printed. */
      readonly lastLines: readonly string[];
    }
);

/** A run log beyond this is renamed to `runs.jsonl.1` when a supervisor starts. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The append-only log of starts and ends. Every record is on disk before `append` resolves. */
export class RunLog {
  readonly #path: string;
  #tail: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends in call order. A failed write is the caller's to report; it never stops later ones. */
  append(record: RunRecord): Promise<void> {
    const line = `${JSON.stringify(record)}\n`;
    const written = this.#tail.then(() => appendFile(this.#path, line, { mode: PRIVATE_FILE, flush: true }));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  async read(): Promise<RunRecord[]> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    return parseRunLog(text);
  }

  /** Keeps the log bounded, and ends a line that a crash left half written. */
  async prepare(): Promise<void> {
    const size = await stat(this.#path).then(
      (facts) => facts.size,
      () => 0,
    );
    if (size > MAX_BYTES) {
      await rename(this.#path, `${this.#path}.1`);
      return;
    }
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
}

/** Reads a run log; lines that are not whole records (a crash in mid-write) are passed over. */
export function parseRunLog(text: string): RunRecord[] {
  const records: RunRecord[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      const record: unknown = JSON.parse(line);
      if (isRunRecord(record)) records.push(record);
    } catch {
      // half a line
    }
  }
  return records;
}

/** Processes that were started in this boot and whose end nobody recorded, newest first. */
export function unfinishedRuns(records: readonly RunRecord[], bootId: string) {
  const open = new Map<string, Extract<RunRecord, { event: "start" }>>();
  for (const record of records) {
    const key = `${record.role} ${record.pid}`;
    if (record.bootId !== bootId) continue;
    if (record.event === "start") open.set(key, record);
    else if (record.event === "end") open.delete(key);
  }
  return [...open.values()].reverse();
}

function isRunRecord(value: unknown): value is RunRecord {
  return typeof value === "object" && value !== null && "v" in value && value.v === 1 && "event" in value;
}
