/** The layers of a path, from the name to the goodbye, in the order in which they are tried. */
export const STEP_IDS = [
  "dns",
  "proxy",
  "tcp",
  "tls",
  "upgrade",
  "first-message",
  "ping",
  "frames",
  "close",
] as const;

export type StepId = (typeof STEP_IDS)[number];

/** What one layer did. */
export interface Step {
  readonly id: StepId;
  /** `warn`: it works, and something about it will not for everybody. */
  readonly verdict: "ok" | "warn" | "failed";
  /** How long it took; null where that says nothing. */
  readonly ms: number | null;
  /** In a sentence, for people. */
  readonly detail: string;
  /** The same for programs; its names depend on the step. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What the whole path did. */
export interface PathReport {
  readonly url: string;
  /** Whether every layer works. */
  readonly ok: boolean;
  /** Whether it was ended (Ctrl-C) before it was through. */
  readonly stopped: boolean;
  /** The layer that failed; null if none did. */
  readonly failedAt: StepId | null;
  /** Which hop or layer it is, in one line. */
  readonly summary: string;
  readonly steps: readonly Step[];
}

/** How a connection ended that was left alone, or that it did not. */
export type IdleEnd =
  | { readonly kind: "alive" }
  /** Nothing comes back any more, and nobody says so. */
  | { readonly kind: "silent-drop" }
  /** `afterSec` of silence; null if it only showed when something was sent. */
  | { readonly kind: "reset" | "fin"; readonly afterSec: number | null }
  | {
      readonly kind: "close";
      readonly code: number | null;
      readonly reason: string;
      readonly afterSec: number | null;
    };

export interface IdleReport {
  /** The longest silence that the path allows; null if it allowed all that could be tried. */
  readonly limitSec: number | null;
  /** The limit lies within this of `limitSec`. */
  readonly toleranceSec: number | null;
  readonly kind: "silent-drop" | "reset" | "fin" | "close" | "none";
  /** A ping every so often survives it. */
  readonly recommendedKeepaliveSec: number;
  /** Of the Close frame that ended it. */
  readonly code: number | null;
  readonly reason: string | null;
  /** The longest silence that was survived. */
  readonly survivedSec: number;
  /** A silence beyond the limit that other connections survived; null if none did. */
  readonly othersSurvivedSec: number | null;
  /** How often the other side sends something by itself (pings, ticks): no connection was silent for longer. */
  readonly serverSpeaksSec: number | null;
  /** Whether a client that pings so often was kept; null if that was not tried, or could not be seen. */
  readonly keepaliveHolds: boolean | null;
  /** When a connection is ended that is not silent at all; null if that was not seen. */
  readonly life: LifeLimit | null;
  /** Why connections were not let in, if some were not. */
  readonly refused: string | null;
  /** Whether it was ended (Ctrl-C) before it was through. */
  readonly stopped: boolean;
  /** What is known to have such a limit, likely first. */
  readonly likelyBoxes: readonly string[];
}

/** An end that comes whatever is said. */
export interface LifeLimit {
  /** Seconds after the connection was opened. */
  readonly sec: number;
  readonly kind: IdleReport["kind"];
  readonly code: number | null;
  readonly reason: string | null;
  /** Whether it is the gateway's own, for who has not signed in (OpenClaw: 15 s). */
  readonly isSignIn: boolean;
}
