import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { type BothSides, NEAR_MS, tellBothSides } from "./both-sides.ts";
import type { ConnectionRow } from "./store.ts";
import type { Words } from "./story.ts";

/** The library keeps 64; an application may have put some together. */
const MAX_ENTRIES = 1_000;

/** By both clocks: a connection begins for us not before its client asks for it, nor after it was live. */
const SLACK_MS = 1_000;

/** Ends by which the difference of the clocks is looked for. */
const MAX_SAMPLES = 8;

/** The same fields as the library's `State`; what an application adds is left. */
const entry = Type.Object({
  name: Type.Union([
    Type.Literal("connecting"),
    Type.Literal("live"),
    Type.Literal("waiting"),
    Type.Literal("closed"),
  ]),
  text: Type.String({ maxLength: 2_000 }),
  at: Type.Number({ minimum: 0, maximum: 8.64e15 }),
  code: Type.Optional(Type.Integer({ minimum: 1000, maximum: 4999 })),
  reason: Type.Optional(Type.String({ maxLength: 2_000 })),
});
const entries = Type.Array(entry, { maxItems: MAX_ENTRIES });

export type JournalEntry = Static<typeof entry>;

/** The states of `socket.journal`, or what is wrong with them. */
export function readJournal(value: unknown): JournalEntry[] | { readonly problem: string } {
  if (Value.Check(entries, value)) return value;
  const [first] = Value.Errors(entries, value);
  return { problem: `${first?.instancePath || "all of it"} ${first?.message ?? "is invalid"}` };
}

/** A connection, or a try to get one, as its client saw it. */
export interface ClientEnd {
  /** Of its clock, wall-clock milliseconds. */
  readonly startedAt: number;
  readonly at: number;
  readonly code: number;
  readonly reason: string;
  /** What the library said of it. */
  readonly text: string;
  /** When it was a connection; undefined for a try that came to nothing. */
  readonly liveAt: number | undefined;
}

/** Ends without a beginning, as the oldest may be, are left out: nothing tells which connection they were of. */
export function endsIn(journal: readonly JournalEntry[]): ClientEnd[] {
  const ends: ClientEnd[] = [];
  let startedAt: number | undefined;
  let liveAt: number | undefined;
  for (const { name, at, code, reason = "", text } of journal) {
    if (name === "live") liveAt = at;
    if (name === "connecting") startedAt = at;
    if (startedAt !== undefined && code !== undefined) {
      ends.push({ startedAt, at, code, reason, text, liveAt });
      startedAt = undefined;
    }
    if (code !== undefined) liveAt = undefined;
  }
  return ends;
}

export interface LinedUp {
  /** How far the client's clock is ahead of ours. */
  readonly aheadMs: number;
  /** For each end our connection, if it is recorded. */
  readonly rows: readonly (ConnectionRow | undefined)[];
}

/**
 * Finds each end's connection by its beginning, which both sides notice at once; an end may be noticed minutes later. Of all
 * differences between the clocks the one is taken with which most fit, and best.
 */
export function lineUp(ends: readonly ClientEnd[], rows: readonly ConnectionRow[]): LinedUp {
  const byOpening = rows.toSorted((a, b) => a.openedAt - b.openedAt);
  const samples = [...ends.filter(isLive), ...ends.filter((end) => !isLive(end))].slice(0, MAX_SAMPLES);
  const differences = samples.flatMap(({ startedAt }) => rows.map(({ openedAt }) => startedAt - openedAt));
  let best = fit(ends, byOpening, 0);
  for (const aheadMs of new Set(differences)) {
    if (Math.abs(aheadMs) > NEAR_MS) continue;
    const next = fit(ends, byOpening, aheadMs);
    if (next.count > best.count || (next.count === best.count && next.cost < best.cost)) best = next;
  }
  return best;
}

function fit(ends: readonly ClientEnd[], byOpening: readonly ConnectionRow[], aheadMs: number) {
  const taken = new Set<ConnectionRow>();
  const found = new Map<ClientEnd, ConnectionRow>();
  let cost = Math.abs(aheadMs);
  // a try may not have got here: what it could be is first looked for among those that did
  for (const end of [...ends.filter(isLive), ...ends.filter((one) => !isLive(one))]) {
    const asked = end.startedAt - aheadMs;
    const latest = (end.liveAt ?? end.at) - aheadMs + SLACK_MS;
    let nearest: ConnectionRow | undefined;
    for (let i = firstFrom(byOpening, asked - SLACK_MS); i < byOpening.length; i++) {
      const row = byOpening[i]!;
      if (row.openedAt > latest) break;
      if (!taken.has(row) && (nearest === undefined || far(row, asked) < far(nearest, asked))) nearest = row;
    }
    if (nearest === undefined) continue;
    taken.add(nearest);
    found.set(end, nearest);
    cost += far(nearest, asked);
  }
  return { aheadMs, rows: ends.map((end) => found.get(end)), count: found.size, cost };
}

function isLive({ liveAt }: ClientEnd): boolean {
  return liveAt !== undefined;
}

function far({ openedAt }: ConnectionRow, asked: number): number {
  return Math.abs(openedAt - asked);
}

/** The place of the first that was opened at or after. */
function firstFrom(byOpening: readonly ConnectionRow[], at: number): number {
  let low = 0;
  let high = byOpening.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byOpening[middle]!.openedAt < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As `tellBothSides`, also where our side saw nothing. */
export function tellEnd(
  end: ClientEnd,
  row: ConnectionRow | undefined,
  words: Words,
  now: number,
): BothSides {
  const sides = row === undefined ? notSeen(end, words) : tellBothSides(row, end, words, now);
  return { ...sides, parts: [{ heading: "it said", lines: [JSON.stringify(end.text)] }, ...sides.parts] };
}

function notSeen({ code, at, liveAt }: ClientEnd, { time }: Words): BothSides {
  const ours = "no connection of it that began then is recorded";
  const meaning =
    liveAt !== undefined
      ? "a proxy gave it another address, another gateway had it, or the record is too old (clawkit connections --closed)"
      : "its try did not get here: its own network, something between, or nobody listened here at that moment (clawkit incidents)";
  return {
    ours,
    meaning,
    headline: `client saw ${code} at ${time(at)}; our side: ${ours}`,
    parts: [{ heading: "so", lines: [meaning] }],
  };
}
