import type { Config } from "../config/schema.ts";

const MB = 2 ** 20;

/** The share of the machine's memory that all processes of the service together may use. */
const USUAL_SHARE = 0.75;

/** The same where a larger heap was asked for: below a tenth the rest of the machine does not work. */
const LARGEST_SHARE = 0.9;

/** Room for supervisor, edge and what a gateway uses beyond its heap: a guess, on the generous side. */
const BESIDE_HEAP_MB = 768;

/** Beyond the time a gateway has to become ready: ending leftovers, and what a busy machine adds. */
const START_MARGIN_SEC = 60;

/** Beyond draining and the grace: announcing, the edge's own end, flushing records. */
const STOP_MARGIN_SEC = 15;

/**
 * A leak should end the gateway, which comes back, and not the machine, whose login may not. Three quarters of the
 * memory leave a quarter to everything else; a heap that was set to more gets what it needs, up to nine tenths.
 */
export function memoryMax(totalBytes: number, { heapMb }: Config["supervisor"]): number {
  const needed = heapMb === undefined ? 0 : (heapMb + BESIDE_HEAP_MB) * MB;
  const limit = Math.min(LARGEST_SHARE * totalBytes, Math.max(USUAL_SHARE * totalBytes, needed));
  return Math.floor(limit / MB) * MB;
}

/** Seconds within which clients are served, or it is said why they are not. */
export function startSeconds({ startTimeoutSec, stopGraceSec }: Config["supervisor"]): number {
  return Math.ceil(startTimeoutSec + stopGraceSec + START_MARGIN_SEC);
}

/** Seconds within which every process has ended after SIGTERM. */
export function stopSeconds({ stopGraceSec, drainSec }: Config["supervisor"]): number {
  return Math.ceil(stopGraceSec + drainSec + STOP_MARGIN_SEC);
}
