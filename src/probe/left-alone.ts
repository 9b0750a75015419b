import type { ProbeLink } from "./probe-link.ts";
import type { IdleEnd } from "./types.ts";
import { wait } from "./wait.ts";

/** What a server sends by itself at first belongs to the greeting. */
const GREETING_MS = 2_000;

/** A server that spoke so often will go on so. */
const ENOUGH_WORDS = 3;

/** Timers of a machine that is busy are late. */
const LATE_SEC = 0.25;

const QUESTION = "still there?";

export interface LeftAlone {
  /** How long it was silent in truth. */
  readonly silentSec: number;
  readonly end: IdleEnd;
  /** Whether it was shorter than asked for, as the other side speaks by itself. */
  readonly isSpokenTo: boolean;
}

/**
 * What becomes of a connection on which we say nothing for so long, then a ping; undefined if that was not waited for. It is
 * gone then, unless it is to be kept.
 */
export async function leftAlone(
  link: ProbeLink,
  {
    silentSec,
    pongMs,
    signal,
    isKept = false,
  }: {
    readonly silentSec: number;
    readonly pongMs: number;
    readonly signal: AbortSignal;
    readonly isKept?: boolean;
  },
): Promise<LeftAlone | undefined> {
  const over = new AbortController();
  const linkOnEnd = () => over.abort();
  let words = 0;
  const linkOnWord = () => {
    if (performance.now() - link.openedAt > GREETING_MS && ++words === ENOUGH_WORDS) over.abort();
  };
  link.on("end", linkOnEnd).on("ping", linkOnWord).on("message", linkOnWord);
  try {
    if (link.end === undefined) await wait(silentSec * 1000, AbortSignal.any([signal, over.signal]));
    if (link.end !== undefined) return ended(link, link.silentAtEndMs / 1000);
    if (signal.aborted) return undefined;
    const lastSec = (performance.now() - link.lastTrafficAt) / 1000;
    const longestSec = Math.max(lastSec, link.longestSilenceMs / 1000);
    const isSpokenTo = !isKept && longestSec < silentSec - LATE_SEC;
    link.ping(QUESTION);
    if (await link.pong(QUESTION, pongMs, signal)) {
      return { silentSec: isSpokenTo ? longestSec : silentSec, end: { kind: "alive" }, isSpokenTo };
    }
    if (signal.aborted) return undefined;
    if (link.end === undefined)
      return { silentSec: lastSec, end: { kind: "silent-drop" }, isSpokenTo: false };
    // who answers a word after the silence with an end had forgotten the connection before
    return { ...ended(link, null), silentSec: lastSec };
  } finally {
    link.off("end", linkOnEnd).off("ping", linkOnWord).off("message", linkOnWord);
    if (!isKept) link.leave();
  }
}

function ended(link: ProbeLink, afterSec: number | null): LeftAlone {
  const end = link.end!;
  const silentSec = afterSec ?? 0;
  if (end.kind === "close") return { silentSec, end: { ...end, afterSec }, isSpokenTo: false };
  const kind = end.kind === "garbage" ? "fin" : end.kind;
  return { silentSec, end: { kind, afterSec }, isSpokenTo: false };
}
