import type { CauseId, Verdict } from "./causes.ts";
import type { ProcessEnd } from "./process-end.ts";

/** Which of our processes a record is about. */
export type Role = "supervisor" | "edge" | "gateway" | "control";

/** Why a process ended, as far as the evidence says. */
export interface ExitVerdict {
  readonly cause: CauseId;
  /** Which kind of it: `v8-heap`, `kernel`, `cgroup`, `systemd-oomd`, `SIGKILL`, `unhandled-rejection`, … */
  readonly kind: string | null;
  readonly verdict: Verdict;
  /** In a sentence: `the kernel killed it, as the machine was out of memory`. */
  readonly summary: string;
  /** What the verdict rests on, each in a sentence with its source. */
  readonly evidence: readonly string[];
  /** What could not be known, and why. */
  readonly unknown: readonly string[];
}

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
      /** In the environment of the process and of all it starts: `CLAWKIT_RUN`. */
      readonly mark?: string;
      /** Of the config in force, the first 12 hex digits of its SHA-256. */
      readonly configHash?: string;
    }
  | { readonly event: "ready" }
  | {
      readonly event: "end";
      readonly end: ProcessEnd;
      readonly uptimeMs: number;
      /** The last 50 lines it printed. */
      readonly lastLines: readonly string[];
      readonly peakRssBytes?: number;
      readonly peakHeapBytes?: number;
    }
  /** Why it ended, found out after the end. */
  | {
      readonly event: "cause";
      readonly exit: ExitVerdict;
      /** The name of its folder under `crashes/`. */
      readonly crash?: string;
    }
);

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

export type UnfinishedRun = Extract<RunRecord, { event: "start" }>;

/** Starts without a recorded end, newest first; with `bootId` only those of that boot, which may still run. */
export function unfinishedRuns(records: readonly RunRecord[], bootId?: string) {
  const open = new Map<string, UnfinishedRun>();
  for (const record of records) {
    if (bootId !== undefined && record.bootId !== bootId) continue;
    const key = `${record.bootId} ${record.role} ${record.pid}`;
    if (record.event === "start") open.set(key, record);
    else if (record.event === "end") open.delete(key);
  }
  return [...open.values()].reverse();
}

function isRunRecord(value: unknown): value is RunRecord {
  return typeof value === "object" && value !== null && "v" in value && value.v === 1 && "event" in value;
}
