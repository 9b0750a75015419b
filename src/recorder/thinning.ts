const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Samples come every 10 s. Of older ones fewer are kept: the first of each span. */
export const SAMPLE_THINNING = [
  { olderThanMs: DAY_MS, keepEveryMs: MINUTE_MS },
  { olderThanMs: 7 * DAY_MS, keepEveryMs: 10 * MINUTE_MS },
] as const;
