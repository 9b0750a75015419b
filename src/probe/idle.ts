import { likelyBoxes } from "./boxes.ts";
import { IdleSearch, recommendedKeepalive } from "./idle-search.ts";
import { openLink, type Way } from "./open.ts";
import type { ProbeLink } from "./probe-link.ts";
import type { ProbeTarget } from "./target.ts";
import type { IdleEnd, IdleReport } from "./types.ts";

/** A round trip around the world with two retransmissions (RFC 6298: from 1 s, doubled) has come by then. */
const PONG_MS = 5_000;

/** A server limits how many connections one address opens at once. */
const OPEN_PAUSE_MS = 30;

export interface IdleOptions {
  readonly maxSec: number;
  /** So many seconds of this round are over, of so many. */
  readonly onProgress: (progress: {
    readonly round: number;
    readonly doneSec: number;
    readonly ofSec: number;
  }) => void;
  /** Ends it early: what is known so far is told. */
  readonly signal: AbortSignal;
}

/** Measures how long the path lets a connection be silent. */
export async function probeIdle(target: ProbeTarget, way: Way, options: IdleOptions): Promise<IdleReport> {
  const search = new IdleSearch(options.maxSec);
  const pings = new ServerPings();
  let rounds = 0;
  for (let round = search.next(); round !== undefined && !options.signal.aborted; round = search.next()) {
    await tryRound(round, { search, target, way, pings, options, number: ++rounds });
    if (pings.everySec !== null && pings.everySec <= search.bounds.aliveSec) break; // no connection is silent for longer
  }
  const { limit, bounds } = { limit: search.limit, bounds: search.bounds };
  const kind = bounds.end?.kind ?? "none";
  const keepaliveSec = recommendedKeepalive(limit);
  const holds =
    limit === undefined || options.signal.aborted
      ? null
      : await keepaliveHolds(target, way, {
          everySec: keepaliveSec,
          forSec: 1.5 * limit.limitSec,
          signal: options.signal,
        });
  return {
    limitSec: limit === undefined ? null : round1(limit.limitSec),
    toleranceSec: limit === undefined ? null : round1(limit.toleranceSec),
    kind,
    recommendedKeepaliveSec: keepaliveSec,
    code: bounds.end?.kind === "close" ? bounds.end.code : null,
    triedSec: Math.max(bounds.aliveSec, bounds.deadSec ?? 0),
    serverPingSec: pings.everySec,
    keepaliveHolds: holds,
    likelyBoxes: likelyBoxes(kind, limit?.limitSec ?? null),
  };
}

interface Round {
  readonly search: IdleSearch;
  readonly target: ProbeTarget;
  readonly way: Way;
  readonly pings: ServerPings;
  readonly options: IdleOptions;
  readonly number: number;
}

async function tryRound(silentSecs: readonly number[], round: Round): Promise<void> {
  const { search, target, way, pings, options, number } = round;
  const decided = new AbortController();
  const over = AbortSignal.any([options.signal, decided.signal]);
  const startedAt = performance.now();
  const ofSec = silentSecs.at(-1)!;
  const tell = () =>
    options.onProgress({ round: number, doneSec: (performance.now() - startedAt) / 1000, ofSec });
  tell();
  const timer = setInterval(tell, 1_000);
  try {
    const trials: Promise<void>[] = [];
    for (const silentSec of silentSecs) {
      const link = await openLink(target, way, over);
      pings.watch(link);
      trials.push(
        leftAlone(link, silentSec, over).then((end) => {
          if (end !== undefined) search.note(silentSec, end);
          if (search.isDecided(silentSecs)) decided.abort();
        }),
      );
      await wait(OPEN_PAUSE_MS, over);
    }
    await Promise.all(trials);
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    clearInterval(timer);
    decided.abort();
  }
}

/** What became of a connection that nobody spoke on for so long; undefined if it was not waited for. */
async function leftAlone(
  link: ProbeLink,
  silentSec: number,
  signal: AbortSignal,
): Promise<IdleEnd | undefined> {
  try {
    const openedAt = link.lastTrafficAt;
    const ended = () => {
      const afterSec = (performance.now() - Math.max(openedAt, link.lastTrafficAt)) / 1000;
      return endOf(link, afterSec);
    };
    const early = new Promise<void>((resolve) => link.once("end", () => resolve()));
    await Promise.race([wait(silentSec * 1000, signal), early]);
    if (link.end !== undefined) return ended();
    if (signal.aborted) return undefined;
    link.ping("still there?");
    if (await link.pong("still there?", PONG_MS, signal)) return { kind: "alive" };
    if (signal.aborted) return undefined;
    // who answers a word after the silence with a reset had forgotten the connection before
    return link.end === undefined ? { kind: "silent-drop" } : endOf(link, null);
  } finally {
    link.destroy();
  }
}

function endOf(link: ProbeLink, afterSec: number | null): IdleEnd {
  const end = link.end!;
  return end.kind === "close" ? { ...end, afterSec } : { kind: end.kind, afterSec };
}

/** Whether a client that pings so often is kept. */
async function keepaliveHolds(
  target: ProbeTarget,
  way: Way,
  {
    everySec,
    forSec,
    signal,
  }: { readonly everySec: number; readonly forSec: number; readonly signal: AbortSignal },
): Promise<boolean | null> {
  const link = await openLink(target, way, signal);
  try {
    for (let sec = 0; sec < forSec; sec += everySec) {
      await wait(everySec * 1000, signal);
      if (signal.aborted) return null;
      link.ping(String(sec));
      if (!(await link.pong(String(sec), PONG_MS, signal))) return signal.aborted ? null : false;
    }
    return true;
  } finally {
    link.destroy();
  }
}

/** How often the server pings by itself: then no connection is silent. */
class ServerPings {
  #everySec: number | null = null;

  watch(link: ProbeLink): void {
    let last = performance.now();
    link.on("ping", () => {
      const now = performance.now();
      this.#everySec = Math.max(this.#everySec ?? 0, round1((now - last) / 1000));
      last = now;
    });
  }

  get everySec(): number | null {
    return this.#everySec;
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
}

function round1(number: number): number {
  return Math.round(number * 10) / 10;
}
