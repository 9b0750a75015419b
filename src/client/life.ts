/** How often the watch looks. */
export const LOOK_MS = 5_000;

/** A timer this late was stopped with its machine or its page: what was connected before may be gone. */
const JUMP_MS = 10_000;

/** Time for an answer. */
export const ANSWER_MS = 5_000;

/** So often an answer did not come between two late looks. */
const MAX_JUMPS = 2;

export type Finding = "fine" | "ask" | "gone";

/** Decides from the times at which it is looked whether a connection must be asked for life, or is gone. Takes `now` from a clock that goes on during sleep. */
export class Life {
  #heardAt: number;
  #lookedAt: number;
  #askedAt: number | undefined;
  #jumps = 0;

  constructor(now: number) {
    this.#heardAt = now;
    this.#lookedAt = now;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#askedAt = undefined;
    this.#jumps = 0;
  }

  /** The connection was asked: the answer has `ANSWER_MS`. */
  asked(now: number): void {
    this.#askedAt ??= now;
  }

  /** `silenceMs`: longer silence than this is unusual; 0 if none is. */
  isSilent(now: number, silenceMs: number): boolean {
    return silenceMs > 0 && now - this.#heardAt >= silenceMs;
  }

  look(now: number, silenceMs: number): Finding {
    const isJump = now < this.#lookedAt || now - this.#lookedAt > LOOK_MS + JUMP_MS;
    this.#lookedAt = now;
    this.#heardAt = Math.min(this.#heardAt, now); // a clock that was set back
    if (isJump) {
      // the answer to an earlier question may wait in the socket's buffer; timers of a hidden page are always late
      if (this.#askedAt !== undefined) this.#jumps++;
      this.#askedAt = undefined;
      return this.#jumps >= MAX_JUMPS ? "gone" : "ask";
    }
    if (this.#askedAt !== undefined) return now - this.#askedAt >= ANSWER_MS ? "gone" : "fine";
    return this.isSilent(now, silenceMs) ? "ask" : "fine";
  }
}
