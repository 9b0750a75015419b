import type { Clock } from "../core/ports.ts";
import { tickFrame } from "./dialects/openclaw.ts";
import type { Link } from "./link.ts";

/** OpenClaw's clients give up behind 60 s without an event, and its gateway sends one every 30 s. */
const TICK_MS = 15_000;

/**
 * While a gateway burns CPU it sends no `tick`, and its clients would leave it one after the other: the edge, which
 * watches the gateway and restarts one that does not come back, sends it in its place. One that is silent for no
 * reason gets no such help. The same for links that wait for the next gateway.
 */
export class StandInTicks {
  readonly #timer: NodeJS.Timeout;

  constructor(unserved: () => Iterable<Link>, clock: Clock) {
    this.#timer = setInterval(() => {
      const frame = tickFrame(clock.wall());
      for (const link of unserved()) link.inject(frame);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
