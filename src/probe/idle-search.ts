import type { IdleEnd } from "./types.ts";

/** Silences that are tried first, in seconds: none is a preset of a middlebox (docs/network.md), and one more round is enough between two. */
const LADDER = [4, 8, 14, 25, 40, 75, 150, 280, 400, 750, 1_400, 2_600, 3_900];

/**
 * Connections at once in a round. A gateway takes only so many of one address that have not signed in (OpenClaw 32, the edge
 * lets 24 through), and others of this address want to get in meanwhile.
 */
const PER_ROUND = 10;

/** Close enough: a setting half as long survives either way. */
const GOOD_SEC = 1;
const GOOD_SHARE = 0.04;

/** More rounds would only chase a limit that wanders. */
const MAX_ROUNDS = 4;

/** What is known of the limit so far. */
export interface IdleBounds {
  /** The longest silence that was survived; 0 before any was. */
  readonly aliveSec: number;
  /** The shortest that was not; null while all were. */
  readonly deadSec: number | null;
  readonly end: Exclude<IdleEnd, { kind: "alive" }> | undefined;
  /** The longest silence that others survived all the same; null if none was longer. */
  readonly othersSec: number | null;
}

/**
 * Finds how long a path lets a connection be silent: rounds of connections that are each left alone for another
 * time. It knows no clock: it says which silences to try, and is told what became of each.
 */
export class IdleSearch {
  readonly #maxSec: number;
  #aliveSec = 0;
  #longestSec = 0;
  #deadSec: number | null = null;
  #end: IdleBounds["end"];
  /** Ends that were seen as they came: their moment is the limit itself. */
  readonly #seen: { readonly kind: IdleEnd["kind"]; readonly sec: number }[] = [];
  #rounds = 0;

  constructor(maxSec: number) {
    this.#maxSec = maxSec;
  }

  get bounds(): IdleBounds {
    const isBeyond = this.#deadSec !== null && this.#longestSec > this.#deadSec + GOOD_SEC;
    const othersSec = isBeyond ? this.#longestSec : null;
    return { aliveSec: this.#aliveSec, deadSec: this.#deadSec, end: this.#end, othersSec };
  }

  /** The silences to try at once, ascending; undefined if enough is known. */
  next(): number[] | undefined {
    const isFirst = this.#rounds === 0;
    if (!isFirst && (this.#deadSec === null || this.#isPrecise || this.#rounds >= MAX_ROUNDS))
      return undefined;
    this.#rounds++;
    if (isFirst) return [...LADDER.filter((sec) => sec < this.#maxSec), this.#maxSec];
    const dead = this.#deadSec!;
    const step = (dead - this.#aliveSec) / (PER_ROUND + 1);
    return Array.from({ length: PER_ROUND }, (_, index) => this.#aliveSec + step * (index + 1));
  }

  /** What became of the connection that was silent for `silentSec`, or was to be. */
  note(silentSec: number, end: IdleEnd): void {
    if (end.kind === "alive") {
      this.#longestSec = Math.max(this.#longestSec, silentSec);
      // one that survived what killed another: paths differ, and the shorter limit is the one that hurts
      if (this.#deadSec === null || silentSec < this.#deadSec)
        this.#aliveSec = Math.max(this.#aliveSec, silentSec);
      return;
    }
    const seenSec = end.kind === "silent-drop" ? null : end.afterSec;
    const at = Math.min(silentSec, seenSec ?? silentSec);
    if (seenSec !== null) this.#seen.push({ kind: end.kind, sec: seenSec });
    if (this.#deadSec !== null && at >= this.#deadSec) return;
    this.#deadSec = at;
    this.#end = end;
    if (this.#aliveSec >= at) this.#aliveSec = 0;
  }

  /** Whether a round that is under way has nothing more to tell. */
  isDecided(silentSecs: readonly number[]): boolean {
    if (this.#deadSec === null) return false;
    const dead = this.#deadSec;
    return silentSecs.filter((sec) => sec < dead).every((sec) => sec <= this.#aliveSec);
  }

  /** The limit and how far off it may be, in seconds; undefined while nothing died. */
  get limit(): { readonly limitSec: number; readonly toleranceSec: number } | undefined {
    if (this.#deadSec === null) return undefined;
    const end = this.#end!;
    if (end.kind !== "silent-drop" && end.afterSec !== null) {
      // other kinds of end are of another reason
      const sorted = this.#seen
        .flatMap(({ kind, sec }) => (kind === end.kind ? [sec] : []))
        .sort((a, b) => a - b);
      const spread = (sorted.at(-1)! - sorted[0]!) / 2;
      return { limitSec: sorted[Math.floor(sorted.length / 2)]!, toleranceSec: Math.max(0.5, spread) };
    }
    const half = (this.#deadSec - this.#aliveSec) / 2;
    return { limitSec: this.#aliveSec + half, toleranceSec: Math.max(0.5, half) };
  }

  get #isPrecise(): boolean {
    const { limitSec, toleranceSec } = this.limit!;
    return toleranceSec <= Math.max(GOOD_SEC, GOOD_SHARE * limitSec);
  }
}

/** A ping this often survives a limit twice over, and falls together with none of the common timers. */
export function recommendedKeepalive(limit: IdleSearch["limit"]): number {
  if (limit === undefined) return DEFAULT_KEEPALIVE_SEC;
  const shortest = limit.limitSec - limit.toleranceSec;
  return Math.max(1, Math.min(DEFAULT_KEEPALIVE_SEC, Math.floor(shortest / 2.2)));
}

/** What the edge does, and what survives every timer of a minute. */
const DEFAULT_KEEPALIVE_SEC = 20;
