/** Lines that a module may log at once, and as many a second from then on: its gateway's log is other evidence, too. */
const BURST = 200;
const PER_SECOND = 20;

/** Lets so many lines through, and says how many it did not. */
export class LineBudget {
  readonly #now: () => number;
  #left = BURST;
  #at: number;
  #dropped = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Undefined if the line is dropped; else how many were since the last one. */
  take(): { readonly dropped: number } | undefined {
    const now = this.#now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1_000) * PER_SECOND);
    this.#at = now;
    if (this.#left < 1) {
      this.#dropped++;
      return undefined;
    }
    this.#left--;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { dropped };
  }
}
