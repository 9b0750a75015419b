import type { CauseId } from "./causes.ts";
import type { GatewayState } from "./messages.ts";

/** Which side ended a connection. */
export type EndedSide = "client" | "gateway" | "edge" | "network";

/** `handshake`: before the gateway's 101; `closing`: a Close frame had passed already. */
export type ConnectionPhase = "handshake" | "open" | "closing";

/** What a client says of itself in its first frame; never a secret. */
export interface ClientIdentity {
  readonly clientId: string | null;
  readonly clientVersion: string | null;
  readonly role: string | null;
}

/** How a connection ended. Bytes and frames: `in` is from the client, `out` to it. */
export interface ConnectionEnd {
  readonly at: number;
  readonly by: EndedSide;
  /** The code of the Close frame that ended it; null if there was none (a client would say 1006). */
  readonly code: number | null;
  readonly reason: string;
  readonly phase: ConnectionPhase;
  readonly cause: CauseId;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly lastActivityAt: number;
  /** Round trip of the last answered ping; null if none was. */
  readonly rttMs: number | null;
}

/** Every 10 s: how the edge and its machine are. */
export interface Sample {
  readonly at: number;
  readonly connections: number;
  readonly held: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Event-loop delay of the edge. */
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  readonly rttP50Ms: number | null;
  readonly rttP99Ms: number | null;
  readonly gatewayRssBytes: number | null;
  readonly memoryAvailableBytes: number | null;
  readonly diskFreeBytes: number | null;
}

/** Something that happened to the machine or to the recorder itself, and may explain what happens around it. */
export interface Note {
  readonly at: number;
  readonly kind:
    | "host-slept"
    | "clock-set"
    | "edge-stalled"
    | "config-changed"
    | "memory-low"
    | "disk-low"
    | "records-dropped"
    | "store-replaced"
    | "console-action";
  readonly text: string;
}

/** What the edge tells the recorder. Plain values that travel between threads; times are wall-clock ms. */
export type RecorderEvent =
  | {
      readonly type: "connection-opened";
      readonly id: string;
      readonly at: number;
      readonly address: string;
      readonly origin: string | null;
      readonly path: string;
    }
  /** The gateway's 101 went to the client. */
  | { readonly type: "connection-served"; readonly id: string; readonly generation: number }
  | { readonly type: "connection-identified"; readonly id: string; readonly client: ClientIdentity }
  | { readonly type: "connection-closed"; readonly id: string; readonly end: ConnectionEnd }
  | {
      readonly type: "gateway-state";
      readonly at: number;
      readonly generation: number;
      readonly state: GatewayState;
    }
  /** A gateway that should serve does not. */
  | {
      readonly type: "gateway-silent";
      readonly at: number;
      readonly generation: number;
      readonly why: string;
      readonly isSupervised: boolean;
    }
  | { readonly type: "sample"; readonly sample: Sample }
  | { readonly type: "note"; readonly note: Note }
  /** The supervisor wrote to its run log. */
  | { readonly type: "runs-changed"; readonly at: number };

/** Where recorder events go. Never waits, never throws. */
export type RecordEvent = (event: RecorderEvent) => void;
