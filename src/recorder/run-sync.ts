import type { ExitVerdict, Role, RunRecord } from "../core/run-record.ts";
import { judgeExit } from "../policy/exit-cause.ts";
import type { Incidents } from "./incidents.ts";
import type { RecorderStore, RunRow } from "./store.ts";

/** Lives that are held in memory while a run log is taken over; a log of 4 MiB has less than 10,000. */
const MAX_RUNS = 100_000;

/**
 * Takes over what the supervisor's run log says, record by record. Taking over the same record twice changes
 * nothing, so a log can be read from its beginning at every start.
 */
export class RunSync {
  readonly #store: RecorderStore;
  readonly #incidents: Incidents;
  /** `boot role generation pid` → the key of its latest life. */
  readonly #keys = new Map<string, string>();
  /** All lives by their key: reading a whole log asks for each of them several times. */
  readonly #runs: Map<string, RunRow>;
  #lastAt = 0;

  constructor(store: RecorderStore, incidents: Incidents) {
    this.#store = store;
    this.#incidents = incidents;
    this.#runs = new Map(store.runs({}, MAX_RUNS).map((run) => [run.key, run]));
  }

  /** A life that began before `oldest` and is not known was forgotten on purpose. */
  take(records: readonly RunRecord[], oldest = 0): void {
    for (const record of records) {
      this.#take(record, Date.parse(record.at), oldest);
      this.#lastAt = Math.max(this.#lastAt, Date.parse(record.at));
    }
  }

  /** No process of ours lives (any more): those without an end ended unseen. */
  nobodyLives(bootId: string): void {
    this.#endUnseen(Number.POSITIVE_INFINITY, bootId);
  }

  /** The life of that process that ended last. */
  lastEnded(role: Role): RunRow | undefined {
    let last: RunRow | undefined;
    for (const run of this.#runs.values()) {
      if (run.role === role && run.endedAt !== null && run.endedAt >= (last?.endedAt ?? 0)) last = run;
    }
    return last;
  }

  #take(record: RunRecord, at: number, oldest: number): void {
    const name = `${record.bootId} ${record.role} ${record.generation} ${record.pid}`;
    if (record.event === "start") {
      const key = `${record.bootId} ${record.role} ${record.generation} ${record.pid} ${at}`;
      this.#keys.set(name, key);
      if (!this.#runs.has(key) && at >= oldest) this.#start(record, key, at);
      return;
    }
    const key = this.#keys.get(name);
    const isNew = key === undefined && at >= oldest;
    const run = isNew ? this.#neverStarted(record, name, at) : this.#runs.get(key ?? "");
    if (run === undefined) return; // a rotated log begins in the middle
    if (record.event === "end") this.#end(run, record, at);
    else if (record.event === "ready") this.#ready(run, at);
    else this.#explain(run, record.exit, record.crash ?? null);
  }

  #start(record: Extract<RunRecord, { event: "start" }>, key: string, at: number): void {
    // a supervisor starts when no other lives, and ends what that one had left
    if (record.role === "supervisor") {
      this.#endUnseen(at, record.bootId);
    }
    const configHash = record.configHash ?? null;
    const { role, generation, pid, bootId, command } = record;
    this.#save({ ...BLANK, key, role, generation, pid, bootId, command, configHash, startedAt: at });
  }

  #ready(run: RunRow, at: number): void {
    if (run.readyAt !== null) return;
    this.#noteConfigChange(run, at);
    this.#save({ ...run, readyAt: at });
    if (isServing(run)) this.#incidents.ready(run.role, at);
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
    this.#save(ended);
    if (end.by === "operator" || !isServing(run) || this.#isSpare(run)) return;
    this.#incidents.processEnded(ended, "supervisor");
  }

  /** It was to follow another gateway, which still serves. */
  #isSpare({ role, key, bootId }: RunRow): boolean {
    const serves = (run: RunRow) => run.readyAt !== null && run.endedAt === null && run.bootId === bootId;
    return (
      role === "gateway" &&
      [...this.#runs.values()].some((run) => run.role === role && run.key !== key && serves(run))
    );
  }

  #explain(run: RunRow, exit: ExitVerdict, crash: string | null): void {
    if (JSON.stringify(run.exit) === JSON.stringify(exit) && run.crash === crash) return;
    const explained = { ...run, exit, crash };
    this.#save(explained);
    if (run.endedBy !== "operator" && isServing(run)) this.#incidents.explained(explained);
  }

  /** A process that the system could not start has an end and no start. */
  #neverStarted(record: RunRecord, name: string, at: number): RunRow | undefined {
    if (record.event !== "end" || record.end.startError === undefined) return undefined;
    const { role, generation, pid, bootId } = record;
    const key = `${bootId} ${role} ${generation} ${pid} ${at}`;
    this.#keys.set(name, key);
    return (
      this.#runs.get(key) ?? { ...BLANK, key, role, generation, pid, bootId, command: "", startedAt: at }
    );
  }

  #save(run: RunRow): void {
    this.#runs.set(run.key, run);
    this.#store.saveRun(run);
  }

  /** Lives that began before then and have no end. */
  #endUnseen(before: number, bootId: string): void {
    const runs = [...this.#runs.values()].filter((run) => run.endedAt === null && run.startedAt < before);
    if (runs.length === 0) return;
    const lastSample = this.#store.lastSample()?.at ?? 0;
    const ended = runs.map((run): RunRow => {
      // the edge samples itself and its gateway; nobody looks at a supervisor
      const lastSeenAt = Math.max(this.#lastAt, lastSample, run.startedAt);
      const exit = unseenExit(run, { lastSeenAt, otherBoot: bootId !== run.bootId });
      return { ...run, endedAt: lastSeenAt, exit };
    });
    for (const run of ended) this.#save(run);
    // one incident for all that went at once, told as the end of what held the others
    const order = ["supervisor", "edge", "gateway"];
    const [first] = ended.filter(isServing).sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
    if (first !== undefined) this.#incidents.processEnded(first, "recorder");
  }

  /** One that was never ready had nothing in force. */
  #noteConfigChange({ role, configHash }: RunRow, at: number): void {
    if (role !== "gateway" || configHash === null) return;
    let previous: RunRow | undefined;
    for (const run of this.#runs.values()) {
      if (run.role === "gateway" && run.readyAt !== null && run.readyAt >= (previous?.readyAt ?? 0))
        previous = run;
    }
    if (previous?.configHash == null || previous.configHash === configHash) return;
    const since = new Date(at).toISOString();
    const text = `the config changed (${previous.configHash} → ${configHash}), in force since ${since}`;
    this.#store.addNote({ at, kind: "config-changed", text });
  }
}

/** The console's process serves no client: its end is recorded, and is no outage. */
function isServing({ role }: RunRow): boolean {
  return role !== "control";
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
