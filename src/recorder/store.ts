import type { CauseId, Verdict } from "../core/causes.ts";
import type { ClientIdentity, ConnectionEnd, Note, Sample } from "../core/records.ts";
import type { ExitVerdict, Role } from "../core/run-record.ts";

/** A client's connection, from its upgrade request on. Times are wall-clock milliseconds everywhere. */
export interface ConnectionRow extends ClientIdentity {
  readonly id: string;
  readonly openedAt: number;
  readonly address: string;
  readonly origin: string | null;
  /** Without its query, which may hold a token. */
  readonly path: string;
  /** The life of the gateway it was served by; null before the gateway's 101. */
  readonly generation: number | null;
  /** Null while it lasts. */
  readonly end: ConnectionEnd | null;
  /** The incident it was part of. */
  readonly incident: string | null;
}

/** One life of a process of ours. */
export interface RunRow {
  /** Boot id, role, generation, pid and start: what makes it this life and no other. */
  readonly key: string;
  readonly role: Role;
  readonly generation: number;
  readonly pid: number;
  readonly bootId: string;
  readonly command: string;
  readonly configHash: string | null;
  readonly startedAt: number;
  readonly readyAt: number | null;
  /** Null while it lives; for an end nobody saw, the last moment it was known to live. */
  readonly endedAt: number | null;
  readonly code: number | null;
  readonly signal: string | null;
  readonly endedBy: string | null;
  readonly peakRssBytes: number | null;
  readonly peakHeapBytes: number | null;
  readonly lastLines: readonly string[];
  readonly exit: ExitVerdict | null;
  /** Its folder under `crashes/`. */
  readonly crash: string | null;
}

/** An outage, or a burst of like disconnects. */
export interface IncidentRow {
  readonly id: string;
  readonly kind: "outage" | "burst";
  /** Which process was out; for a burst, the gateway's clients. */
  readonly role: Role | "clients";
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly cause: CauseId;
  readonly verdict: Verdict;
  readonly summary: string;
  readonly noticedBy: "supervisor" | "edge" | "recorder";
  readonly evidence: readonly string[];
  readonly unknown: readonly string[];
  /** The life of the gateway (or edge) that ended first. */
  readonly generation: number | null;
  /** Ends of that process while it lasted. */
  readonly ends: number;
  readonly crash: string | null;
}

export interface ConnectionFilter {
  readonly state?: "live" | "closed";
  /** Closed (or, if it lives, opened) at or after. */
  readonly since?: number;
  readonly incident?: string;
  /** The id a client gives itself, or its address. */
  readonly client?: string;
  /** Opened in this span, and served: who waited through an outage. */
  readonly openedBetween?: readonly [from: number, to: number];
  /** Opened at or before. */
  readonly openedUntil?: number;
}

/** So many connections ended of one cause in the bucket that begins then. */
export interface EndCount {
  readonly at: number;
  readonly cause: CauseId;
  readonly count: number;
}

export interface RunFilter {
  readonly role?: Role;
  /** Without an end. */
  readonly openOnly?: boolean;
  /** Began in this span, both ends included. */
  readonly since?: number;
  readonly until?: number;
}

export interface Bounds {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxConnections: number;
}

/**
 * What the flight recorder keeps. Calls are synchronous: the store lives in a thread of its own. The SQLite store
 * and its memory twin pass one suite (`store.suite.ts`).
 */
export interface RecorderStore {
  /** Runs `work` so that all its writes are kept, or none. */
  transaction(work: () => void): void;

  openConnection(row: Pick<ConnectionRow, "id" | "openedAt" | "address" | "origin" | "path">): void;
  serveConnection(id: string, generation: number): void;
  identifyConnection(id: string, client: ClientIdentity): void;
  closeConnection(id: string, end: ConnectionEnd, incident: string | null): void;
  linkConnections(ids: readonly string[], incident: string): void;
  saveRun(row: RunRow): void;
  saveIncident(row: IncidentRow): void;
  addSample(sample: Sample): void;
  addNote(note: Note): void;

  connection(id: string): ConnectionRow | undefined;
  /** Newest first. */
  connections(filter: ConnectionFilter, limit: number): ConnectionRow[];
  countConnections(filter: ConnectionFilter): number;
  /** Ends in a span, both included, by bucket and cause; oldest bucket first. Buckets begin at `from`. */
  countEnds(span: { readonly from: number; readonly to: number; readonly bucketMs: number }): EndCount[];
  run(key: string): RunRow | undefined;
  /** Newest first. */
  runs(filter: RunFilter, limit: number): RunRow[];
  incident(id: string): IncidentRow | undefined;
  /** Newest first. */
  incidents(filter: { readonly openOnly?: boolean; readonly since?: number }, limit: number): IncidentRow[];
  /** Oldest first. */
  notes(from: number, to: number): Note[];
  samples(from: number, to: number): Sample[];
  lastSample(): Sample | undefined;

  /** Forgets what is beyond the bounds, a bounded piece at a time; returns how many rows went. */
  prune(now: number, bounds: Bounds): number;
  close(): void;
}
