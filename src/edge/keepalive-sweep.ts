import { CLOSE } from "../core/close-codes.ts";
import type { EdgeSettings } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { forgiveStall, stepKeepalive } from "../policy/keepalive.ts";
import type { Link } from "./link.ts";

/** One timer looks at all links: a timer of its own for each would cost memory and wake-ups. */
const SWEEP_MS = 1_000;

/** A sweep this much later than planned means that the edge itself was stopped: nobody is to blame for that. */
const STALL_MS = 1_000;

export interface KeepaliveSweepDeps {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Notes when clients were last heard; with keepalive on, pings the silent ones and gives up those that stay so. */
export class KeepaliveSweep {
  readonly #links: ReadonlyMap<Link, unknown>;
  readonly #deps: KeepaliveSweepDeps;
  readonly #timer: NodeJS.Timeout;
  #sweptAt: number;

  constructor(links: ReadonlyMap<Link, unknown>, deps: KeepaliveSweepDeps) {
    this.#links = links;
    this.#deps = deps;
    this.#sweptAt = deps.clock.now();
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const { clock, settings, random, log } = this.#deps;
    const now = clock.now();
    const stalledMs = now - this.#sweptAt - SWEEP_MS;
    this.#sweptAt = now;
    for (const link of this.#links.keys()) {
      if (stalledMs > STALL_MS) {
        forgiveStall(link.keepalive, stalledMs);
        continue;
      }
      const heard = link.takeHeard(now);
      if (!settings.keepalive.enabled || !link.isOpen) continue; // ending has deadlines of its own
      const input = {
        now,
        heard,
        bytesWritten: link.client.bytesWritten,
        readingPaused: link.isClientPaused,
      };
      const action = stepKeepalive(link.keepalive, input, settings.keepalive, random);
      if (action === "ping") link.ping();
      else if (action === "unreachable") {
        log(`client ${link.clientAddress} is unreachable: no answer to a ping`);
        link.end(CLOSE.timeout, `no answer to a ping within ${settings.keepalive.timeoutMs / 1000} s`, {
          by: "network",
          cause: "client-unreachable",
        });
      }
    }
  }
}
