import type { ClientIdentity, ConnectionEnd, Note, Sample } from "../core/records.ts";
import type {
  Bounds,
  ConnectionFilter,
  ConnectionRow,
  EndCount,
  IncidentRow,
  RecorderStore,
  RunFilter,
  RunRow,
} from "./store.ts";
import { SAMPLE_THINNING } from "./thinning.ts";

/** What a connection's row takes in memory, about; the bound on bytes is as rough here. */
const ROW_BYTES = 1_000;

/** The store in memory: where no file can be written, and in tests. */
export class MemoryStore implements RecorderStore {
  readonly #connections = new Map<string, ConnectionRow>();
  readonly #runs = new Map<string, RunRow>();
  readonly #incidents = new Map<string, IncidentRow>();
  readonly #samples = new Map<number, Sample>();
  #notes: Note[] = [];
  /** What takes back the writes of the transaction under way. */
  #undo: (() => void)[] | undefined;

  transaction(work: () => void): void {
    this.#undo = [];
    try {
      work();
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  openConnection(row: Pick<ConnectionRow, "id" | "openedAt" | "address" | "origin" | "path">): void {
    if (this.#connections.has(row.id)) return;
    const { id, openedAt, address, origin, path } = row;
    const blank = {
      generation: null,
      clientId: null,
      clientVersion: null,
      role: null,
      end: null,
      incident: null,
    };
    this.#set(this.#connections, id, { id, openedAt, address, origin, path, ...blank });
  }

  serveConnection(id: string, generation: number): void {
    this.#change(id, { generation });
  }

  identifyConnection(id: string, { clientId, clientVersion, role }: ClientIdentity): void {
    this.#change(id, { clientId, clientVersion, role });
  }

  closeConnection(id: string, end: ConnectionEnd, incident: string | null): void {
    this.#change(id, { end, incident });
  }

  linkConnections(ids: readonly string[], incident: string): void {
    for (const id of ids) this.#change(id, { incident });
  }

  saveRun(row: RunRow): void {
    this.#set(this.#runs, row.key, row);
  }

  saveIncident(row: IncidentRow): void {
    this.#set(this.#incidents, row.id, row);
  }

  addSample(sample: Sample): void {
    this.#set(this.#samples, sample.at, sample);
  }

  addNote(note: Note): void {
    this.#notes.push(note);
    this.#undo?.push(() => this.#notes.pop());
  }

  connection(id: string): ConnectionRow | undefined {
    return this.#connections.get(id);
  }

  connections(filter: ConnectionFilter, limit: number): ConnectionRow[] {
    const time = (row: ConnectionRow) => (filter.state === "closed" ? row.end!.at : row.openedAt);
    return this.#matching(filter)
      .sort((a, b) => time(b) - time(a) || (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  countConnections(filter: ConnectionFilter): number {
    return this.#matching(filter).length;
  }

  countEnds({ from, to, bucketMs }: { from: number; to: number; bucketMs: number }): EndCount[] {
    const counts = new Map<string, EndCount>();
    for (const { end } of this.#connections.values()) {
      if (end === null || end.at < from || end.at > to) continue;
      const at = from + Math.floor((end.at - from) / bucketMs) * bucketMs;
      const key = `${at} ${end.cause}`;
      counts.set(key, { at, cause: end.cause, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()].sort((a, b) => a.at - b.at || (a.cause < b.cause ? -1 : 1));
  }

  run(key: string): RunRow | undefined {
    return this.#runs.get(key);
  }

  runs(filter: RunFilter, limit: number): RunRow[] {
    return [...this.#runs.values()]
      .filter((row) => filter.role === undefined || row.role === filter.role)
      .filter((row) => filter.openOnly !== true || row.endedAt === null)
      .filter(
        (row) =>
          row.startedAt >= (filter.since ?? 0) && row.startedAt <= (filter.until ?? Number.POSITIVE_INFINITY),
      )
      .sort((a, b) => b.startedAt - a.startedAt || (a.key < b.key ? 1 : -1))
      .slice(0, limit);
  }

  incident(id: string): IncidentRow | undefined {
    return this.#incidents.get(id);
  }

  incidents(filter: { openOnly?: boolean; since?: number }, limit: number): IncidentRow[] {
    return [...this.#incidents.values()]
      .filter((row) => filter.openOnly !== true || row.closedAt === null)
      .filter((row) => row.openedAt >= (filter.since ?? 0))
      .sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  notes(from: number, to: number): Note[] {
    return this.#notes.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  }

  samples(from: number, to: number): Sample[] {
    return this.#samplesInOrder().filter(({ at }) => at >= from && at <= to);
  }

  lastSample(): Sample | undefined {
    return this.#samplesInOrder().at(-1);
  }

  prune(now: number, bounds: Bounds): number {
    const before = now - bounds.maxAgeMs;
    let removed = 0;
    const removeFrom = <K, V>(map: Map<K, V>, isOld: (value: V) => boolean) => {
      for (const [key, value] of map) if (isOld(value) && map.delete(key)) removed++;
    };
    removeFrom(this.#connections, ({ end }) => end !== null && end.at < before);
    removeFrom(this.#runs, ({ endedAt }) => endedAt !== null && endedAt < before);
    removeFrom(this.#incidents, ({ closedAt }) => closedAt !== null && closedAt < before);
    removeFrom(this.#samples, ({ at }) => at < before);
    const notes = this.#notes.length;
    this.#notes = this.#notes.filter(({ at }) => at >= before);
    removed += notes - this.#notes.length;
    removed += this.#thinSamples(now);
    const most = Math.min(bounds.maxConnections, Math.floor(bounds.maxBytes / ROW_BYTES));
    const over = this.#connections.size - most;
    const oldest = this.connections({ state: "closed" }, Number.POSITIVE_INFINITY).reverse();
    for (const { id } of oldest.slice(0, Math.max(0, over))) if (this.#connections.delete(id)) removed++;
    return removed;
  }

  close(): void {}

  #set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    map.set(key, value);
    this.#undo?.push(() => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    });
  }

  #change(id: string, change: Partial<ConnectionRow>): void {
    const row = this.#connections.get(id);
    if (row !== undefined) this.#set(this.#connections, id, { ...row, ...change });
  }

  #matching(filter: ConnectionFilter): ConnectionRow[] {
    const { state, since, incident, client, openedBetween, openedUntil } = filter;
    return [...this.#connections.values()].filter(
      (row) =>
        (state === undefined || (state === "live") === (row.end === null)) &&
        (since === undefined || (row.end?.at ?? row.openedAt) >= since) &&
        (incident === undefined || row.incident === incident) &&
        (client === undefined || row.clientId === client || row.address === client) &&
        (openedBetween === undefined ||
          (row.generation !== null &&
            row.openedAt >= openedBetween[0] &&
            row.openedAt <= openedBetween[1])) &&
        (openedUntil === undefined || row.openedAt <= openedUntil),
    );
  }

  #samplesInOrder(): Sample[] {
    return [...this.#samples.values()].sort((a, b) => a.at - b.at);
  }

  #thinSamples(now: number): number {
    let removed = 0;
    for (const { olderThanMs, keepEveryMs } of SAMPLE_THINNING) {
      let kept = -1;
      for (const { at } of this.#samplesInOrder()) {
        if (at >= now - olderThanMs) break;
        const span = Math.floor(at / keepEveryMs);
        if (span === kept && this.#samples.delete(at)) removed++;
        kept = span;
      }
    }
    return removed;
  }
}
