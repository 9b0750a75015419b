import type { ExitVerdict, RunRecord } from "../core/run-record.ts";
import { judgeExit } from "../policy/exit-cause.ts";
import type { Incidents } from "./incidents.ts";
import type { RecorderStore, RunRow } from "./store.ts";

/** Lives looked through for those without an end; there are three processes. */
const MAX_OPEN_RUNS = 1_000;

/** An earlier config with another hash is looked for among so many lives of the gateway. */
const LATEST = 1;

/**
 * Takes over what the supervisor's run log says, record by record. Taking over the same record twice changes
 * nothing, so a log can be read from its beginning at every start.
 */
export class RunSync {
  readonly #store: RecorderStore;
  readonly #incidents: Incidents;
  /** `boot role pid` → the key of its latest life. */
  readonly #keys = new Map<string, string>();
  #lastAt = 0;

  constructor(store: RecorderStore, incidents: Incidents) {
    this.#store = store;
    this.#incidents = incidents;
  }

  take(records: readonly RunRecord[]): void {
    for (const record of records) {
      this.#take(record, Date.parse(record.at));
      this.#lastAt = Math.max(this.#lastAt, Date.parse(record.at));
    }
  }

  /** No process of ours lives (any more): those without an end ended unseen. */
  nobodyLives(): void {
    this.#endUnseen(this.#store.runs({ openOnly: true }, MAX_OPEN_RUNS), undefined);
  }

  #take(record: RunRecord, at: number): void {
    const name = `${record.bootId} ${record.role} ${record.pid}`;
    if (record.event === "start") {
      const key = `${record.bootId} ${record.role} ${record.generation} ${record.pid} ${at}`;
      this.#keys.set(name, key);
      if (this.#store.run(key) === undefined) this.#start(record, key, at);
      return;
    }
    const key = this.#keys.get(name);
    const run = key === undefined ? undefined : this.#store.run(key);
    if (record.event === "end") this.#end(run ?? this.#neverStarted(record, at), record, at);
    else if (run === undefined) return;
    else if (record.event === "ready") this.#ready(run, at);
    else this.#explain(run, record.exit, record.crash ?? null);
  }

  #start(record: Extract<RunRecord, { event: "start" }>, key: string, at: number): void {
    // a supervisor starts when no other lives, and ends what that one had left
    if (record.role === "supervisor") {
      const open = this.#store.runs({ openOnly: true }, MAX_OPEN_RUNS).filter((run) => run.startedAt < at);
      this.#endUnseen(open, record.bootId);
    }
    const configHash = record.configHash ?? null;
    this.#noteConfigChange(record, configHash, at);
    const { role, generation, pid, bootId, command } = record;
    this.#store.saveRun({ ...BLANK, key, role, generation, pid, bootId, command, configHash, startedAt: at });
  }

  #ready(run: RunRow, at: number): void {
    if (run.readyAt !== null) return;
    this.#store.saveRun({ ...run, readyAt: at });
    this.#incidents.ready(run.role, at);
  }

  #end(run: RunRow, record: Extract<RunRecord, { event: "end" }>, at: number): void {
    const wasUnseen = run.exit?.cause === "ended-without-record";
    if (run.endedAt !== null && !wasUnseen) return;
    const { end, lastLines } = record;
    const exit = judgeExit({ pid: run.pid, end, wasReady: run.readyAt !== null, lines: lastLines });
    const ended: RunRow = {
      ...run,
      endedAt: at,
      code: end.code,
      signal: end.signal,
      endedBy: end.by,
      lastLines,
      exit,
      peakRssBytes: record.peakRssBytes ?? null,
      peakHeapBytes: record.peakHeapBytes ?? null,
    };
    this.#store.saveRun(ended);
    if (end.by !== "operator") this.#incidents.processEnded(ended, "supervisor");
  }

  #explain(run: RunRow, exit: ExitVerdict, crash: string | null): void {
    if (JSON.stringify(run.exit) === JSON.stringify(exit) && run.crash === crash) return;
    const explained = { ...run, exit, crash };
    this.#store.saveRun(explained);
    if (run.endedBy !== "operator") this.#incidents.explained(explained);
  }

  /** A process that the system could not start has an end and no start. */
  #neverStarted(record: Extract<RunRecord, { event: "end" }>, at: number): RunRow {
    const { role, generation, pid, bootId } = record;
    const key = `${bootId} ${role} ${generation} ${pid} ${at}`;
    return (
      this.#store.run(key) ?? { ...BLANK, key, role, generation, pid, bootId, command: "", startedAt: at }
    );
  }

  #endUnseen(runs: readonly RunRow[], bootId: string | undefined): void {
    const lastSample = this.#store.lastSample()?.at ?? 0;
    const ended = runs.map((run): RunRow => {
      // the edge samples itself and its gateway; nobody looks at a supervisor
      const lastSeenAt = Math.max(this.#lastAt, lastSample, run.startedAt);
      const exit = unseenExit(run, { lastSeenAt, otherBoot: bootId !== undefined && bootId !== run.bootId });
      return { ...run, endedAt: lastSeenAt, exit };
    });
    for (const run of ended) this.#store.saveRun(run);
    // one incident for all that went at once, told as the end of what held the others
    const order = ["supervisor", "edge", "gateway"];
    const [first] = ended.sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
    if (first !== undefined) this.#incidents.processEnded(first, "recorder");
  }

  #noteConfigChange({ role, at }: RunRecord, configHash: string | null, time: number): void {
    if (role !== "gateway" || configHash === null) return;
    const [previous] = this.#store.runs({ role: "gateway" }, LATEST);
    if (previous?.configHash == null || previous.configHash === configHash) return;
    const text = `the config changed (${previous.configHash} → ${configHash}), in force since ${at}`;
    this.#store.addNote({ at: time, kind: "config-changed", text });
  }
}

const BLANK = {
  configHash: null,
  readyAt: null,
  endedAt: null,
  code: null,
  signal: null,
  endedBy: null,
  peakRssBytes: null,
  peakHeapBytes: null,
  lastLines: [],
  exit: null,
  crash: null,
} as const;

function unseenExit(run: RunRow, seen: { lastSeenAt: number; otherBoot: boolean }): ExitVerdict {
  const lastSeen = `last known to live at ${new Date(seen.lastSeenAt).toISOString()}`;
  if (seen.otherBoot) {
    return {
      cause: "host-restarted",
      kind: null,
      verdict: "likely",
      summary: "the machine was restarted",
      evidence: ["the machine's boot id is another one now", lastSeen],
      unknown: ["whether it had ended before the machine did"],
    };
  }
  return {
    cause: "ended-without-record",
    kind: null,
    verdict: "confirmed",
    summary: "ended without shutdown, reason unknown",
    evidence: [`pid ${run.pid} has a start and no end in the run log`, lastSeen],
    unknown: [
      "why it ended: no process of ours saw it (a kill -9 of everything, or a power cut, looks like this)",
    ],
  };
}
