import type { EdgeAnswer, EdgeQuestion } from "./messages.ts";
import type { NetworkTimer } from "./network-timer.ts";

/** What can be asked over the control socket: one JSON line in, one or more JSON lines out. */
export type ControlRequest =
  | { readonly op: "status" }
  /** Answered when clients are served, or as an error when they will not be. */
  | { readonly op: "wait-ready" }
  | { readonly op: "stop" }
  | { readonly op: "restart"; readonly all: boolean }
  | { readonly op: "ask-edge"; readonly question: EdgeQuestion }
  /** A way into the console for whoever may use this socket. */
  | { readonly op: "console-code" };

export type ControlReply =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "done"; readonly status: Status }
  | { readonly kind: "edge-answer"; readonly answer: EdgeAnswer }
  /** Good once, for a minute. */
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** `starting`: not served yet, or not again. `unhealthy`: the gateway hangs, refused to start or keeps crashing. */
export type OverallState = "healthy" | "starting" | "unhealthy" | "stopping" | "stopped" | "foreign";

/** What `gateway status --json` prints; absent parts are null. */
export interface Status {
  readonly state: OverallState;
  readonly port: number;
  readonly url: string | null;
  readonly supervisor: {
    readonly pid: number | null;
    readonly upMs: number | null;
    /** Of the code it runs: an upgrade under a living supervisor changes that only with its restart. */
    readonly version: string | null;
  };
  readonly edge: { readonly pid: number | null; readonly held: number };
  readonly gateway: {
    readonly pid: number | null;
    readonly state: string;
    readonly generation: number | null;
    readonly upMs: number | null;
    readonly lastExit: {
      readonly at: string;
      readonly generation: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly reason: string;
      readonly lastLine?: string;
    } | null;
    readonly endsInARow: number;
    /** Modules of the built-in gateway that are not there, and why. */
    readonly troubles?: readonly string[];
  };
  readonly connections: number;
  /** Networks in which pings go more often than the config says, as silent connections died there. */
  readonly networkTimers: readonly NetworkTimer[];
  /** Who holds the port, when it is not ours. */
  readonly portOwner?: { readonly pid: number | null; readonly command: string | null };
  /** Why it is not healthy, in a sentence. */
  readonly reason?: string;
}

/** Where a browser finds the console of the edge at `url` (`ws://…`). */
export function consoleUrl(url: string): string {
  return `${url.replace(/^ws/, "http")}/__clawkit__/`;
}
