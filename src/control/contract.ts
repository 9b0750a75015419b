/**
 * The control API, as the console (or a script) sees it: types only. Times are wall-clock milliseconds unless their
 * name says otherwise. Within one `API_VERSION` fields are only added.
 */
import type { CauseId } from "../core/causes.ts";
import type { Status } from "../core/control.ts";
import type { LinkPage, LinkSort, LiveLink } from "../core/messages.ts";
import type { Note, Sample } from "../core/records.ts";
import type { Advice } from "../diagnosis/harden/types.ts";
import type { Section } from "../diagnosis/playbook.ts";
import type { RepairResult } from "../diagnosis/repair.ts";
import type { Diagnosis, Fact, NotLooked } from "../diagnosis/types.ts";
import type { LogEntry } from "../host/log-files.ts";
import type { ConnectionRow, IncidentRow } from "../recorder/store.ts";
import type { Told } from "../recorder/story.ts";

export type ApiVersion = 1;

export const API_PREFIX = "/__clawkit__/api/v1";

/** The header with the session's `csrf`, on every change. */
export const CSRF_HEADER = "x-clawkit-csrf";

export interface ApiFailure {
  readonly ok: false;
  readonly error: { readonly code: string; readonly message: string };
}

/** `POST session`: one of the two. */
export interface SignIn {
  readonly code?: string;
  readonly token?: string;
}

export interface SessionInfo {
  readonly apiVersion: ApiVersion;
  readonly version: string;
  readonly csrf: string;
  readonly expiresAt: number;
  readonly platform: string;
  /** `alone`: served by `clawkit console`, as there is no edge to serve it. */
  readonly mode: "edge" | "alone";
}

export interface Overview {
  readonly apiVersion: ApiVersion;
  readonly at: number;
  /** `Healthy for 3 days. 2 short outages this week, longest 1.2 s, nobody was disconnected.` */
  readonly sentence: string;
  readonly status: Status;
  /** Of the edge's own console; null while it is not there, or serves this. */
  readonly edgeConsole: string | null;
  /** `hours` ago, or up to a bucket earlier: a multiple of `bucketMs`, so that a bucket is the same the next time. */
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  /** At most 300, oldest first: of each bucket the worst values. */
  readonly samples: readonly Sample[];
  /** Ends of connections in each bucket, by their cause. */
  readonly disconnects: readonly { readonly at: number; readonly cause: CauseId; readonly count: number }[];
  /** Newest first, at most 100. */
  readonly incidents: readonly IncidentSummary[];
  /** Starts of the gateway, newest first, at most 100. */
  readonly restarts: readonly Restart[];
  readonly memory: {
    readonly gatewayRssBytes: number | null;
    /** `supervisor.heapMb` of the config; null if it is not set. */
    readonly heapLimitBytes: number | null;
    readonly availableBytes: number | null;
  };
}

export interface IncidentSummary extends IncidentRow {
  readonly connections: number;
}

export interface Restart {
  readonly at: number;
  readonly generation: number;
  readonly readyAt: number | null;
  /** Why the life before it ended; null if it was the first. */
  readonly after: { readonly cause: string; readonly summary: string; readonly isPlanned: boolean } | null;
}

/** `GET connections`: open ones as the edge has them, or, with `state=closed`, what the recorder has. */
export type ConnectionsPage =
  | ({ readonly apiVersion: ApiVersion; readonly state: "live" } & LinkPage)
  | {
      readonly apiVersion: ApiVersion;
      readonly state: "closed";
      readonly total: number;
      readonly connections: readonly ConnectionRow[];
    };

export interface ConnectionDetail {
  readonly apiVersion: ApiVersion;
  readonly connection: ConnectionRow;
  readonly live: LiveLink | null;
  readonly told: Told;
  /** Earlier and later ones of the same client (its id, else its address), newest first. */
  readonly others: readonly ConnectionRow[];
  readonly incident: IncidentRow | null;
}

export interface CloseRequest {
  /** Told to the client; at most 100 bytes. */
  readonly reason: string;
}

export interface IncidentDetail {
  readonly apiVersion: ApiVersion;
  readonly incident: IncidentSummary;
  readonly told: Told;
  /** Oldest first, at most 500. */
  readonly timeline: readonly TimelineEntry[];
  /** Around it, oldest first: memory on the same axis. */
  readonly samples: readonly Sample[];
}

/** `GET incidents/:id/export`, as a file for a report. */
export interface IncidentExport extends IncidentDetail {
  readonly version: string;
  readonly platform: string;
  readonly exportedAt: number;
}

export interface TimelineEntry {
  readonly at: number;
  readonly kind: "exit" | "start" | "ready" | "close" | "note" | "log";
  readonly text: string;
  /** Of a note. */
  readonly note?: Note["kind"];
  /** Of an exit, a start or a line: whose. */
  readonly role?: string;
}

/** What `clawkit doctor --json` prints. */
export interface DoctorReport extends Diagnosis {
  readonly schemaVersion: number;
  readonly ok: boolean;
  readonly facts: readonly Fact[];
  readonly notLooked: readonly NotLooked[];
  readonly checksRun: number;
  readonly repairs?: readonly RepairResult[];
  readonly next?: string | null;
}

export interface LastDoctor {
  readonly apiVersion: ApiVersion;
  /** Null before the first one. Its causes are in the order that feedback gives them by now (`seenHere`). */
  readonly last: { readonly at: number; readonly report: DoctorReport } | null;
  readonly isRunning: boolean;
}

export interface FixRequest {
  /** Ids of repairs, as a dry run names them; with `dryRun` it may be empty: all that would be made. */
  readonly ids: readonly string[];
  readonly dryRun?: boolean;
}

/** What was changed here, by whom ever asked for it: newest first, at most 50. */
export interface RepairLog {
  readonly apiVersion: ApiVersion;
  readonly repairs: readonly {
    readonly id: string;
    readonly what: string;
    readonly at: number;
    readonly state: "begun" | "done" | "failed" | "undone";
    readonly helped: boolean | null;
    readonly canUndo: boolean;
    /** The only command that takes it back. */
    readonly undoneBy: string | null;
  }[];
}

export interface UndoRequest {
  readonly id: string;
}

/** What `clawkit explain --json` prints; the source of evidence is `line 12`, which `lines` quotes. */
export interface Explained extends Diagnosis {
  readonly apiVersion: ApiVersion;
  readonly lines: readonly {
    readonly number: number;
    readonly text: string;
    readonly causes: readonly string[];
  }[];
}

export interface PlaybookList {
  readonly apiVersion: ApiVersion;
  readonly playbooks: readonly { readonly code: string; readonly title: string }[];
}

export interface Playbook {
  readonly apiVersion: ApiVersion;
  readonly code: string;
  readonly sections: readonly PlaybookSection[];
}

export interface PlaybookSection extends Omit<Section, "lines"> {
  readonly lines: readonly (Section["lines"][number] & {
    readonly step?: string;
    readonly canRun?: boolean;
    /** It changes something: it runs only with `confirm`. */
    readonly needsConfirm?: boolean;
  })[];
  /** From the last run of the doctor; `open` before the first. */
  readonly relevance: { readonly kind: "holds" | "ruled out" | "open"; readonly why: string | null };
}

export interface RunStepRequest {
  readonly step: string;
  /** Of a step that `needsConfirm`; without it the answer says what it would do. */
  readonly confirm?: boolean;
}

export interface StepResult {
  readonly apiVersion: ApiVersion;
  readonly step: string;
  readonly command: string;
  readonly found: readonly string[];
  /** What that means for this step, in a sentence. */
  readonly means: string;
  /** It would change something and was not confirmed: nothing was done. */
  readonly needsConfirm?: boolean;
}

export interface FeedbackRequest {
  readonly playbook: string;
  readonly solved: "yes" | "no" | "partly";
  readonly note?: string;
}

export interface FeedbackTaken {
  readonly ok: true;
  /** The cause that the answer counts for; null if none that was found belongs to that playbook. */
  readonly cause: string | null;
}

export interface Hardening {
  readonly apiVersion: ApiVersion;
  readonly ok: boolean;
  readonly advice: readonly HardeningAdvice[];
}

export interface HardeningAdvice extends Omit<Advice, "plan"> {
  readonly risk?: string;
  readonly change?: string;
  readonly diff?: readonly string[];
  readonly outcome?: string;
  readonly error?: string;
  readonly helped?: boolean;
  readonly undo?: string;
}

export interface LogTail {
  readonly apiVersion: ApiVersion;
  /** Oldest first. */
  readonly lines: readonly LogEntry[];
}

/** What `GET logs/events` sends: first what `GET logs` gives, then what is new. */
export interface LogEvents {
  readonly lines: { readonly lines: readonly LogEntry[] };
}

/** What `GET events` sends, by the name of the event. */
export interface StreamEvents {
  readonly tick: {
    readonly at: number;
    readonly state: Status["state"];
    readonly sentence: string;
    readonly connections: number;
    readonly held: number;
    readonly gateway: Status["gateway"];
    readonly sample: Sample | null;
    readonly edgeConsole: string | null;
  };
  readonly incident: IncidentSummary;
}

/** What `POST doctor`, `doctor/fix` and `harden/apply` send. */
export interface JobEvents {
  readonly progress: { readonly text: string };
  readonly result: object;
  readonly failure: ApiFailure["error"];
}

export type { ConnectionRow, LinkSort, LiveLink, LogEntry };
