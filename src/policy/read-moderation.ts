/**
 * When a program that serves many connections waits a moment between two turns of its event loop, so that more
 * arrives for the next one. Network cards do the same with their interrupts, for the same reason: a read that
 * finds eight messages costs hardly more than one that finds a single one, and so do the write behind it and the
 * reads of whoever is behind that (docs/decisions/0002-reading.md).
 */
export interface ReadModeration {
  isOn: boolean;
  windowStart: number;
  windowReads: number;
}

/** How often the rate of reads is looked at, in ms. */
const WINDOW_MS = 10;

/** From this rate on (reads a millisecond) there is something to win. One client that waits for each of its
 * answers stays below: it makes at most 20. */
const BUSY_READS_PER_MS = 30;

/** Below this rate the waits end. One client that waits for its answers through them stays below: it makes 5. */
const CALM_READS_PER_MS = 10;

/** A turn with so many reads is worth its price already. */
const FULL_TURN_READS = 16;

/** The wait, in ms; what a kernel makes of it is up to twice as much. */
const WAIT_MS = 0.1;

export function startReadModeration(now: number): ReadModeration {
  return { isOn: false, windowStart: now, windowReads: 0 };
}

/** Takes the reads of the turn that ends; returns how long to wait before the next one, in ms. */
export function stepReadModeration(moderation: ReadModeration, now: number, reads: number): number {
  moderation.windowReads += reads;
  const elapsed = now - moderation.windowStart;
  if (elapsed >= WINDOW_MS) {
    const rate = moderation.windowReads / elapsed;
    moderation.isOn = rate >= (moderation.isOn ? CALM_READS_PER_MS : BUSY_READS_PER_MS);
    moderation.windowStart = now;
    moderation.windowReads = 0;
  }
  return moderation.isOn && reads < FULL_TURN_READS ? WAIT_MS : 0;
}
