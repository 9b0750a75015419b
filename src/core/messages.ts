import type { NetworkTimer } from "./network-timer.ts";
import type { ProcessEnd } from "./process-end.ts";
import type { ClientIdentity, Note } from "./records.ts";

/** Version of the messages between supervisor, edge and gateway: both sides may be different builds for a moment. */
export const MESSAGE_VERSION = 1;

/** Where a gateway can be reached. */
export type UpstreamAddress =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "url"; readonly url: string };

/** What the edge needs to know of the config; a plain value that travels between processes. */
export interface EdgeSettings {
  readonly port: number;
  /** Which protocol the gateway's clients speak, where the edge has to answer in it. */
  readonly dialect?: "openclaw";
  /** Whether the gateway reads X-Forwarded-For from the edge. */
  readonly upstreamTrustsEdge: boolean;
  readonly keepalive: {
    readonly enabled: boolean;
    readonly adaptive: boolean;
    readonly intervalMs: number;
    readonly timeoutMs: number;
  };
  readonly holdMs: number;
  readonly maxConnections: number;
  readonly unfinishedHandshakesPerAddress: number;
  readonly handshakeMs: number;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly recorder: {
    readonly stateDir: string;
    readonly maxMb: number;
    readonly maxDays: number;
  };
  readonly hangRestartMs: number;
  readonly startTimeoutMs: number;
}

/** One life of a gateway. A gateway that is not supervised (a URL) has one life of generation 1 and no pid. */
export interface GatewayRun {
  readonly generation: number;
  readonly address: UpstreamAddress;
  readonly pid?: number;
  /** Proves to the built-in gateway that a connection comes from its edge. A secret. */
  readonly edgeKey?: string;
  /** Links to it survive it (docs/link-protocol.md). */
  readonly resumes?: true;
}

/** What follows the end of a gateway. */
export type AfterEnd =
  | { readonly kind: "restart"; readonly delayMs: number }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "stopped" };

/** How clients are told of a planned end. */
export interface Drain {
  readonly reason: string;
  /** Time over which they are told. */
  readonly spreadMs: number;
  /** Whether nothing is to come back: a stop, no restart. */
  readonly isStop: boolean;
}

export type SupervisorToEdge =
  /** Comes with one bound socket; `isLast` starts the listening. */
  | {
      readonly type: "socket";
      readonly address: string;
      readonly isLast: boolean;
      readonly settings: EdgeSettings;
    }
  | { readonly type: "gateway-started"; readonly run: GatewayRun }
  | {
      readonly type: "gateway-ended";
      readonly generation: number;
      readonly end: ProcessEnd;
      readonly after: AfterEnd;
    }
  /** Tell the clients, over `spreadMs`, then say `drained`. New ones are held (restart) or refused (stop). */
  | ({ readonly type: "drain"; readonly scope: "gateway" | "all" } & Drain)
  | { readonly type: "inspect"; readonly id: number }
  | { readonly type: "ask"; readonly id: number; readonly question: EdgeQuestion }
  /** The control process takes requests at this path, or none is there any more. */
  | { readonly type: "control-listening"; readonly path: string }
  | { readonly type: "control-ended"; readonly why: string }
  /** OpenClaw's config changed: whether it now reads from the edge who its clients are. */
  | { readonly type: "upstream-trust"; readonly trustsEdge: boolean }
  /** The run log has more than before. */
  | { readonly type: "runs-changed" };

export type EdgeToSupervisor =
  /** Its code is loaded: sockets are all it waits for. */
  | { readonly type: "loaded" }
  | { readonly type: "listening" }
  | { readonly type: "listen-failed"; readonly message: string; readonly code?: string }
  | { readonly type: "gateway-state"; readonly generation: number; readonly state: GatewayState }
  | { readonly type: "restart-gateway"; readonly generation: number; readonly why: string }
  | { readonly type: "drained" }
  | { readonly type: "incident"; readonly change: "opened" | "closed"; readonly incident: IncidentNews }
  | { readonly type: "inspection"; readonly id: number; readonly inspection: EdgeInspection }
  | { readonly type: "answer"; readonly id: number; readonly answer: EdgeAnswer }
  /** Somebody asks for the console, and no control process is known. */
  | { readonly type: "control-wanted" };

/** What the control process asks of the edge, through the supervisor. */
export type EdgeQuestion =
  | ({ readonly kind: "links" } & LinkQuery)
  | { readonly kind: "close-link"; readonly link: string; readonly reason: string }
  /** For the flight recorder. */
  | { readonly kind: "note"; readonly note: Note };

export type EdgeAnswer =
  | { readonly kind: "links"; readonly page: LinkPage }
  | { readonly kind: "link-closed"; readonly wasOpen: boolean }
  | { readonly kind: "noted" };

export const LINK_SORTS = ["since", "idle", "rtt", "bytes"] as const;
export type LinkSort = (typeof LINK_SORTS)[number];

/** A page of the open connections: with five thousand of them not everything can travel each second. */
export interface LinkQuery {
  /** A part of the id, the address or what the client calls itself; empty for all. */
  readonly text: string;
  readonly sort: LinkSort;
  readonly isDescending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface LinkPage {
  /** That fit the text. */
  readonly total: number;
  readonly links: readonly LiveLink[];
}

/** A connection that is open now; times are wall-clock milliseconds. */
export interface LiveLink extends ClientIdentity {
  readonly id: string;
  readonly address: string;
  readonly openedAt: number;
  readonly idleMs: number;
  readonly rttMs: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly generation: number;
}

/** What is told to the outside world of an incident. */
export interface IncidentNews {
  readonly id: string;
  readonly role: string;
  readonly cause: string;
  readonly verdict: string;
  readonly summary: string;
  /** ISO 8601, UTC; `closedAt` is null while it lasts. */
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly clients: number;
}

/** How the edge sees the gateway. */
export type GatewayState = "away" | "starting" | "ready" | "hung";

export interface EdgeInspection {
  readonly connections: number;
  readonly held: number;
  readonly gatewayState: GatewayState;
  /** Networks in which pings go more often than the config says, as connections died there. */
  readonly networkTimers: readonly NetworkTimer[];
}

export interface GatewaySettings {
  readonly socketPath: string;
  readonly port: number;
  readonly auth: { readonly mode: "token" | "password" | "none"; readonly secret?: string };
  readonly edgeKey: string;
  readonly generation: number;
  /** The gateway before was ended by a signal from outside: nothing that it did is to blame. */
  readonly isBehindKill: boolean;
  readonly journalPath: string;
  /** Whether a commit waits until the disk has it. */
  readonly isDurable: boolean;
  readonly configPath: string;
  readonly logFile: string;
  /** Files with methods of the user's own; relative to the config. */
  readonly modules: readonly string[];
}

/** What of them a gateway needs to load all its code. */
export type ModuleSettings = Pick<GatewaySettings, "modules" | "configPath">;

export type SupervisorToGateway =
  /** Load all code, then say `prepared`. */
  | { readonly type: "prepare"; readonly settings: ModuleSettings }
  | { readonly type: "start"; readonly settings: GatewaySettings }
  /** Its clients will be closed: announce it; `restartExpectedMs` is absent for a stop. */
  | { readonly type: "announce-shutdown"; readonly reason: string; readonly restartExpectedMs?: number }
  | { readonly type: "stop" };

export type GatewayToSupervisor =
  /** Its code and that of its modules is loaded: `start` is all it waits for. */
  | { readonly type: "prepared" }
  | { readonly type: "listening" }
  /** It ends as it was asked to: what it did is committed, its journal closed. */
  | { readonly type: "released" }
  /** Every client was sent the `shutdown` event. */
  | { readonly type: "shutdown-announced" }
  | { readonly type: "restart-requested"; readonly reason: string }
  /** Modules that are not there, and why; whenever that changes. */
  | { readonly type: "modules"; readonly troubles: readonly string[] }
  /** Every few seconds. */
  | { readonly type: "memory"; readonly heapUsedBytes: number; readonly heapLimitBytes: number };

export type SupervisorToControl =
  | { readonly type: "start"; readonly settings: ControlSettings }
  | { readonly type: "issue-code"; readonly id: number };

export type ControlToSupervisor =
  | { readonly type: "listening" }
  /** A one-time code: a secret for as long as it is good. */
  | { readonly type: "code"; readonly id: number; readonly code: string }
  /** Nobody has asked for anything for long: it may be ended. */
  | { readonly type: "idle" };

export interface ControlSettings {
  /** Where the edge reaches it. */
  readonly socketPath: string;
  /** Of the edge: browsers name it in Host and Origin. */
  readonly port: number;
  readonly isTls: boolean;
  /** Addresses and CIDR ranges beside loopback (`console.allowFrom`). */
  readonly allowFrom: readonly string[];
  /** Names beside those of loopback, with or without a port (`console.hosts`). */
  readonly hosts: readonly string[];
}

/** A message on the wire between two of our processes. */
export type Versioned<T> = T & { readonly v: number };

export function versioned<T extends object>(message: T): Versioned<T> {
  return { v: MESSAGE_VERSION, ...message };
}

/** True for a message of our version; others are ignored by their receiver. */
export function isOurMessage(message: unknown): message is Versioned<{ type: string }> {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    "v" in message &&
    message.v === MESSAGE_VERSION
  );
}
