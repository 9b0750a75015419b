import type { Clock } from "../core/ports.ts";
import { tickFrame } from "./dialects/openclaw.ts";
import type { Link } from "./link.ts";

/** OpenClaw's clients give up behind 60 s without an event, and its gateway sends one every 30 s. */
const TICK_MS = 15_000;

/** A client that asks for life leaves who does not answer in 5 s (docs/client.md). */
const ANSWER_MS = 1_000;

/**
 * While a gateway burns CPU it sends no `tick`, and its clients would leave it one after the other: the edge, which
 * watches the gateway and restarts one that does not come back, sends it in its place. One that is silent for no
 * reason gets no such help. The same for links that wait for the next gateway.
 */
export class StandInTicks {
  readonly #unserved: () => Iterable<Link>;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  readonly #asked = new Set<Link>();
  #answerTimer: NodeJS.Timeout | undefined;

  constructor(unserved: () => Iterable<Link>, clock: Clock) {
    this.#unserved = unserved;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#send(() => true), TICK_MS);
  }

  /** The client of an unserved link may wait for an answer: all of a second are answered together. */
  asked(link: Link): void {
    this.#asked.add(link);
    this.#answerTimer ??= setTimeout(() => {
      this.#answerTimer = undefined;
      this.#send((one) => this.#asked.has(one));
      this.#asked.clear();
    }, ANSWER_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#answerTimer);
  }

  #send(isFor: (link: Link) => boolean): void {
    const frame = tickFrame(this.#clock.wall());
    for (const link of this.#unserved()) if (isFor(link)) link.inject(frame);
  }
}
