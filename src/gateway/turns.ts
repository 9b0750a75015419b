import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import type { ErrorShape } from "./frames.ts";
import type { Session } from "./session.ts";

/** Node reads as many files at once (libuv's threads): more of them would take memory, and be over no sooner. */
const PLACES = 4;

/** Of one client: more of them is a flood. Beyond either by what came in one turn of the loop, at most. */
const MAX_WAITING = 1_000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

interface Waiting {
  readonly characters: number;
  readonly run: () => Promise<void>;
  readonly over: () => void;
}

/**
 * Lets few of what takes time and memory run at once. One client after the other, and of each in the order of arrival: whoever sends a
 * thousand keeps another one waiting for one place. A bound for each client would do less, as many clients may come.
 */
export class Turns {
  readonly #waiting = new Map<Session, Waiting[]>();
  #running = 0;

  isFull(client: Session): boolean {
    const its = this.#waiting.get(client) ?? [];
    return (
      its.length >= MAX_WAITING || its.reduce((sum, { characters }) => sum + characters, 0) >= MAX_CHARACTERS
    );
  }

  /** Runs it now, or when there is a place. Resolves when it is over. */
  take(client: Session, characters: number, run: () => Promise<void>): Promise<void> {
    const { promise, resolve: over } = Promise.withResolvers<void>();
    const its = this.#waiting.get(client) ?? [];
    its.push({ characters, run, over });
    this.#waiting.set(client, its);
    this.#fill();
    return promise;
  }

  #fill(): void {
    for (const [client, its] of this.#waiting) {
      if (this.#running === PLACES) return;
      // behind all others
      this.#waiting.delete(client);
      const next = its.shift()!;
      if (its.length > 0) this.#waiting.set(client, its);
      void this.#run(next);
    }
  }

  async #run({ run, over }: Waiting): Promise<void> {
    this.#running++;
    await run();
    this.#running--;
    over();
    this.#fill();
  }
}

export const TOO_MANY_WAIT: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: `cannot take this request as too many of this client wait for their turn (${MAX_WAITING}, or ${MAX_CHARACTERS} characters): wait for some answers`,
  details: { reason: "too-many-waiting" },
  retryable: true,
  retryAfterMs: 1_000,
};
