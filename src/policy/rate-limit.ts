/** Failed attempts an address may make within the window before it is locked out (the real gateway's numbers). */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
const LOCKOUT_MS = 300_000;

/** Addresses remembered at most; the oldest is forgotten first, so that a flood cannot grow the table. */
const MAX_ADDRESSES = 10_000;

interface Attempts {
  failures: number;
  windowStartedAt: number;
  lockedUntil: number;
}

/** Counts failed credentials per client address. Times are monotonic milliseconds. */
export class FailureLimit {
  readonly #attempts = new Map<string, Attempts>();

  /** Milliseconds until `address` may try again; 0 if it may now. */
  lockedForMs(address: string, now: number): number {
    const lockedUntil = this.#attempts.get(address)?.lockedUntil ?? 0;
    return Math.max(0, lockedUntil - now);
  }

  recordFailure(address: string, now: number): void {
    let attempts = this.#attempts.get(address);
    if (attempts === undefined || now - attempts.windowStartedAt > WINDOW_MS) {
      attempts = { failures: 0, windowStartedAt: now, lockedUntil: attempts?.lockedUntil ?? 0 };
    }
    attempts.failures++;
    if (attempts.failures >= MAX_FAILURES) attempts.lockedUntil = now + LOCKOUT_MS;
    this.#attempts.delete(address);
    this.#attempts.set(address, attempts);
    if (this.#attempts.size > MAX_ADDRESSES) {
      this.#attempts.delete(this.#attempts.keys().next().value!);
    }
  }

  recordSuccess(address: string): void {
    this.#attempts.delete(address);
  }
}
