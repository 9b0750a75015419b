/** What to do about an end: try again at once, later, or not at all. */
export interface Verdict {
  readonly retry: "now" | "later" | "never";
  /** The server's own number. */
  readonly afterMs?: number;
}

const NORMAL = 1000;
const POLICY = 1008;
/** OpenClaw's word too (docs/link-protocol.md). */
const SLOW = "slow consumer";

/** docs/close-codes.md; a test compares. What is not there says nothing about a next try, as 1005 and 1006. */
const LATER = [1001, 1013];
const NEVER = [NORMAL, 1002, 1007, POLICY, 1009];

/** `isUnheard`: it was to say hello, and was not let in. */
export function verdictOf(code: number, reason: string, isUnheard = false): Verdict {
  // a gateway that hears no hello for 15 s says no more than 1000, as OpenClaw's
  if (code === NORMAL && isUnheard) return { retry: "later" };
  // nothing that it did is refused: it did not read fast enough, and begins again with nothing waiting for it
  if (code === POLICY && reason === SLOW) return { retry: "later" };
  if (NEVER.includes(code)) return { retry: "never" };
  const [, count, unit] = /\b(?:in|after) (\d{1,6}) ?(ms|s)\b/.exec(reason) ?? [];
  if (count !== undefined) return { retry: "later", afterMs: Number(count) * (unit === "s" ? 1_000 : 1) };
  // nobody starts it again by itself
  const isGone = /stopped by its operator|not started again|supervisor ended/.test(reason);
  return { retry: LATER.includes(code) || isGone ? "later" : "now" };
}
