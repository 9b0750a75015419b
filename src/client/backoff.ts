import type { Verdict } from "./verdict.ts";

/** The first try is spread only so much that a crowd does not come in one moment. */
const FIRST_MS = 200;
const BASE_MS = 500;
const MAX_MS = 30_000;
/** A server that asks for patience and names no time. */
const LATER_MS = 5_000;

/**
 * Milliseconds until the next try. `failed`: tries that came to nothing since the last connection that held. Full jitter
 * (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter): of all kinds it makes the fewest calls.
 */
export function delayOf(failed: number, verdict: Verdict, random = Math.random): number {
  const span = failed === 0 ? FIRST_MS : Math.min(MAX_MS, BASE_MS * 2 ** (failed - 1));
  if (verdict.retry !== "later") return random() * span;
  const least = verdict.afterMs ?? LATER_MS;
  return least + random() * Math.max(span, least / 2);
}
