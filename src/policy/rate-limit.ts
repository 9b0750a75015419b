/** Failed attempts an address may make within the window before it is locked out (the real gateway's numbers). */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
const LOCKOUT_MS = 300_000;

/** Addresses remembered at most; the oldest is forgotten first, so that a flood cannot grow the table. */
const MAX_ADDRESSES = 10_000;

interface Attempts {
  /** When the last of them failed: as many as count. */
  failedAt: readonly number[];
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
    const { failedAt, lockedUntil } = this.#attempts.get(address) ?? { failedAt: [], lockedUntil: 0 };
    const within = [...failedAt, now].filter((at) => now - at <= WINDOW_MS);
    const isTooMuch = within.length >= MAX_FAILURES;
    this.#attempts.delete(address);
    // whoever was locked out has all attempts again
    this.#attempts.set(address, {
      failedAt: isTooMuch ? [] : within,
      lockedUntil: isTooMuch ? now + LOCKOUT_MS : lockedUntil,
    });
    if (this.#attempts.size > MAX_ADDRESSES) {
      this.#attempts.delete(this.#attempts.keys().next().value!);
    }
  }

  recordSuccess(address: string): void {
    this.#attempts.delete(address);
  }
}
