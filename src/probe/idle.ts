import { messageOf } from "../core/errors.ts";
import { likelyBoxes } from "./boxes.ts";
import { IdleSearch, recommendedKeepalive } from "./idle-search.ts";
import { leftAlone } from "./left-alone.ts";
import type { ProbeLink } from "./probe-link.ts";
import type { IdleEnd, IdleReport, LifeLimit } from "./types.ts";
import { wait } from "./wait.ts";

/** A server limits how many connections one address opens at once. */
const OPEN_PAUSE_MS = 30;

/** So many were refused in one round: the others would be, too. */
const MAX_REFUSED = 2;

/** Two ends that are as far apart have two reasons. */
const APART_SEC = 2;

/** Where connections come from. */
export interface IdleWay {
  /** Throws why there is none. */
  readonly open: (signal: AbortSignal) => Promise<ProbeLink>;
  /** Whether the gateway asks who comes for a sign-in. */
  readonly isChallenged: boolean;
  /** Round trips are about this long. */
  readonly pingMs: number;
}

export interface IdleOptions {
  readonly maxSec: number;
  /** So many seconds of this part are over, of at most so many. */
  readonly onProgress: (progress: IdleProgress) => void;
  /** Ends it early: what is known so far is told. */
  readonly signal: AbortSignal;
}

export interface IdleProgress {
  /** Rounds of the search from 1; the keepalive is tried last. */
  readonly part: number | "keepalive";
  readonly doneSec: number;
  readonly ofSec: number;
}

/** Measures how long the path lets a connection be silent. */
export async function probeIdle(way: IdleWay, options: IdleOptions): Promise<IdleReport> {
  const { signal } = options;
  const search = new IdleSearch(options.maxSec);
  const seen: Seen = { speaksSec: null, refused: null };
  let rounds = 0;
  for (let round = search.next(); round !== undefined && !signal.aborted; round = search.next()) {
    await tryRound(round, { search, way, seen, options, number: ++rounds });
  }
  const { limit, bounds } = search;
  const keepaliveSec = recommendedKeepalive(limit);
  const kept =
    limit === undefined || signal.aborted
      ? undefined
      : await keptWith(keepaliveSec, {
          forSec: Math.max(1.5 * limit.limitSec, limit.limitSec + 2 * APART_SEC),
          way,
          options,
        });
  const life = kept?.end === undefined ? null : lifeOf(kept.sec, kept.end, way);
  const isIdle = limit !== undefined && !isSameEnd(kept, bounds.end, limit);
  const kind = isIdle ? (bounds.end?.kind ?? "none") : "none";
  const end = isIdle && bounds.end?.kind === "close" ? bounds.end : undefined;
  return {
    limitSec: isIdle ? round1(limit.limitSec) : null,
    toleranceSec: isIdle ? round1(limit.toleranceSec) : null,
    kind,
    recommendedKeepaliveSec: isIdle ? keepaliveSec : recommendedKeepalive(undefined),
    code: end?.code ?? null,
    reason: end?.reason ?? null,
    survivedSec: round1(bounds.aliveSec),
    othersSurvivedSec: isIdle && bounds.othersSec !== null ? round1(bounds.othersSec) : null,
    serverSpeaksSec: seen.speaksSec,
    keepaliveHolds: isIdle ? holds(kept, limit.limitSec + apart(limit)) : null,
    life,
    refused: seen.refused,
    stopped: signal.aborted,
    likelyBoxes: likelyBoxes(kind, isIdle ? limit.limitSec : null),
  };
}

interface Seen {
  /** How often the server speaks by itself. */
  speaksSec: number | null;
  /** Why a connection was not let in. */
  refused: string | null;
}

interface Round {
  readonly search: IdleSearch;
  readonly way: IdleWay;
  readonly seen: Seen;
  readonly options: IdleOptions;
  readonly number: number;
}

async function tryRound(silentSecs: readonly number[], round: Round): Promise<void> {
  const { search, way, seen, options, number } = round;
  const decided = new AbortController();
  const over = AbortSignal.any([options.signal, decided.signal]);
  using _ = progress(options, number, silentSecs.at(-1)!);
  const trials: Promise<void>[] = [];
  let refused = 0;
  for (const silentSec of silentSecs) {
    if (over.aborted || refused >= MAX_REFUSED) break;
    const link = await way.open(over).catch((error: unknown) => {
      if (!over.aborted) seen.refused = messageOf(error);
      refused++;
      return undefined;
    });
    if (link === undefined) continue;
    trials.push(
      leftAlone(link, { silentSec, pongMs: pongMs(way), signal: over }).then((told) => {
        if (told === undefined) return;
        search.note(told.silentSec, told.end);
        if (told.isSpokenTo) seen.speaksSec = Math.max(seen.speaksSec ?? 0, round1(told.silentSec));
        if (search.isDecided(silentSecs)) decided.abort();
      }),
    );
    await wait(OPEN_PAUSE_MS, over);
  }
  await Promise.all(trials);
}

type End = Exclude<IdleEnd, { kind: "alive" }>;

interface Kept {
  /** Its age at its last sign of life. */
  readonly fromSec: number;
  /** Its age when it had ended, or was given up. */
  readonly sec: number;
  readonly end: End | undefined;
}

interface Keeping {
  readonly forSec: number;
  readonly way: IdleWay;
  readonly options: IdleOptions;
}

/** How long a client that pings so often was kept, and what ended it; undefined if that was not seen. */
async function keptWith(everySec: number, { forSec, way, options }: Keeping): Promise<Kept | undefined> {
  const { signal } = options;
  using _ = progress(options, "keepalive", forSec);
  let link: ProbeLink;
  try {
    link = await way.open(signal);
  } catch {
    return undefined;
  }
  let fromSec = 0;
  const ageSec = () => (performance.now() - link.openedAt) / 1000;
  try {
    while (ageSec() < forSec) {
      const told = await leftAlone(link, {
        silentSec: Math.min(everySec, forSec - ageSec()),
        pongMs: pongMs(way),
        signal,
        isKept: true,
      });
      if (told === undefined) return undefined;
      if (told.end.kind !== "alive") return { fromSec, sec: ageSec(), end: told.end };
      fromSec = ageSec();
    }
    return { fromSec, sec: ageSec(), end: undefined };
  } finally {
    link.leave();
  }
}

/** What ends a connection that talks as it ends a silent one, and as soon, is not its silence. */
function isSameEnd(
  kept: Kept | undefined,
  end: End | undefined,
  limit: { readonly limitSec: number; readonly toleranceSec: number },
): boolean {
  if (kept?.end === undefined || kept.end.kind !== end?.kind) return false;
  const isSeen = kept.end.kind !== "silent-drop" && kept.end.afterSec !== null;
  const fromSec = isSeen ? kept.sec : kept.fromSec;
  return fromSec - apart(limit) <= limit.limitSec && limit.limitSec <= kept.sec + apart(limit);
}

function lifeOf(sec: number, end: End, way: IdleWay): LifeLimit {
  const isClose = end.kind === "close";
  return {
    sec: round1(sec),
    kind: end.kind,
    code: isClose ? end.code : null,
    reason: isClose ? end.reason : null,
    isSignIn: isClose && way.isChallenged,
  };
}

/** Null where something else ended it, later than the silence would have. */
function holds(kept: Kept | undefined, beyondSec: number): boolean | null {
  if (kept === undefined) return null;
  if (kept.end === undefined) return true;
  return kept.fromSec > beyondSec || (kept.end.kind === "close" && kept.sec > beyondSec) ? null : false;
}

function apart({ toleranceSec }: { readonly toleranceSec: number }): number {
  return Math.max(APART_SEC, toleranceSec);
}

/** Ten round trips, and time for two retransmissions (RFC 6298: they begin at 1 s at most). */
function pongMs({ pingMs }: IdleWay): number {
  return Math.round(Math.min(8_000, 2_000 + 10 * pingMs));
}

function progress({ onProgress }: IdleOptions, part: IdleProgress["part"], ofSec: number): Disposable {
  const startedAt = performance.now();
  const tell = () => onProgress({ part, doneSec: (performance.now() - startedAt) / 1000, ofSec });
  tell();
  const timer = setInterval(tell, 1_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function round1(number: number): number {
  return Math.round(number * 10) / 10;
}
