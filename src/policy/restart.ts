import { EXIT_REFUSED, type ProcessEnd } from "../core/process-end.ts";
import type { RunRecord } from "../core/run-record.ts";

/** Quick restarts a process may use up before it has to wait; one comes back every `REFILL_MS`. */
const BUDGET = 10;
const REFILL_MS = 10_000;

/** Delay of a restart within the budget, after the first one (which is immediate). */
const QUICK_DELAY_MS = 100;

/** A process that ran this long starts again with a full budget. */
const STABLE_MS = 60_000;

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** ±20 %, so that processes that died together do not come back together. */
const JITTER = 0.2;

/**
 * OpenClaw counts its starts behind an unclean end: the third within five minutes runs without its channels
 * (knowledge: openclaw.md, crash-loop breaker).
 */
export const OPENCLAW_BREAKER: UncleanLimit = { starts: 2, windowMs: 300_000 };

/** The window has surely passed by the gateway's own clock, too. */
const WINDOW_SLACK_MS = 1_000;

/** How many starts behind an unclean end a gateway takes within a time, before it runs on half its strength. */
export interface UncleanLimit {
  readonly starts: number;
  readonly windowMs: number;
}

export interface RestartState {
  /** When the last starts behind an unclean end were, or will be. */
  readonly uncleanStarts: readonly number[];
  readonly tokens: number;
  readonly refilledAt: number;
  /** Restarts in a row that found the budget empty. */
  readonly waits: number;
}

export type RestartDecision =
  | { readonly kind: "restart"; readonly delayMs: number; readonly isCrashLoop: boolean }
  /** Exit 78: starting again would give the same refusal until something changes. */
  | { readonly kind: "refused" };

export function initialRestartState(now: number, uncleanStarts: readonly number[] = []): RestartState {
  return { uncleanStarts, tokens: BUDGET, refilledAt: now, waits: 0 };
}

/**
 * When a gateway was started behind an unclean end, as a run log tells it: whoever made those starts, they count. In the
 * time of `now`, which is `wall` to the log.
 */
export function uncleanStartsIn(
  records: readonly RunRecord[],
  { now, wall }: { now: number; wall: number },
): number[] {
  const starts: number[] = [];
  let isBehindUnclean = false;
  for (const record of records) {
    if (record.role !== "gateway") continue;
    if (record.event === "end") isBehindUnclean = isUnclean(record.end);
    if (record.event !== "start" || !isBehindUnclean) continue;
    const agoMs = Math.max(0, wall - Date.parse(record.at)); // the clock may have been set back
    starts.push(now - agoMs);
    isBehindUnclean = false;
  }
  return starts;
}

/** One that could not be started at all has not counted anything. */
function isUnclean({ by, code, startError }: ProcessEnd): boolean {
  return by !== "operator" && code !== 0 && startError === undefined;
}

/**
 * Decides when a process that ended starts again: at once, after a short delay while the budget lasts, with
 * exponential backoff up to 30 s after that, and behind an unclean end not before `limit` allows it. It never gives
 * up. Times in milliseconds, `random` in [0, 1).
 */
export function decideRestart(
  state: RestartState,
  ended: Ended,
  random: () => number,
  limit?: UncleanLimit,
): [RestartState, RestartDecision] {
  const [next, decision] = decideByBudget(state, ended, random);
  if (limit === undefined || decision.kind === "refused" || !isUnclean(ended.end)) return [next, decision];
  const { starts, windowMs } = limit;
  const oldest = state.uncleanStarts.at(-starts);
  const earliest = oldest === undefined ? 0 : oldest + windowMs + WINDOW_SLACK_MS;
  const delayMs = Math.max(decision.delayMs, earliest - ended.now);
  const uncleanStarts = [...state.uncleanStarts, ended.now + delayMs].slice(-starts);
  const isCrashLoop = decision.isCrashLoop || delayMs > decision.delayMs;
  return [
    { ...next, uncleanStarts },
    { ...decision, delayMs, isCrashLoop },
  ];
}

interface Ended {
  readonly end: ProcessEnd;
  readonly uptimeMs: number;
  readonly now: number;
}

function decideByBudget(
  state: RestartState,
  ended: Ended,
  random: () => number,
): [RestartState, RestartDecision] {
  const { end, uptimeMs, now } = ended;
  if (end.code === EXIT_REFUSED) return [state, { kind: "refused" }];
  if (uptimeMs >= STABLE_MS || end.by === "operator") {
    const fresh = { ...state, tokens: BUDGET - 1, refilledAt: now, waits: 0 };
    return [fresh, { kind: "restart", delayMs: 0, isCrashLoop: false }];
  }

  const refills = Math.max(0, Math.floor((now - state.refilledAt) / REFILL_MS));
  const tokens = Math.min(BUDGET, state.tokens + refills);
  const refilledAt = state.refilledAt + refills * REFILL_MS;
  const jitter = 1 - JITTER + 2 * JITTER * random();

  if (tokens >= 1) {
    const delayMs = tokens === BUDGET ? 0 : Math.round(QUICK_DELAY_MS * jitter);
    return [
      { ...state, tokens: tokens - 1, refilledAt, waits: 0 },
      { kind: "restart", delayMs, isCrashLoop: false },
    ];
  }
  const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** state.waits);
  const delayMs = Math.round(backoff * jitter);
  // waiting earns nothing: only time that the process ran refills the budget
  return [
    { ...state, tokens, refilledAt: now + delayMs, waits: state.waits + 1 },
    { kind: "restart", delayMs, isCrashLoop: true },
  ];
}
