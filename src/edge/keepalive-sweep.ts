import { CLOSE } from "../core/close-codes.ts";
import type { EdgeSettings } from "../core/messages.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import type { Clock, Log } from "../core/ports.ts";
import { forgiveStall, hasten, type KeepaliveRules, lookSoon, stepKeepalive } from "../policy/keepalive.ts";
import { NetworkTimers, networkOf } from "../policy/network-timers.ts";
import type { Link } from "./link.ts";

/** One timer looks at all links: a timer of its own for each would cost memory and wake-ups. */
const SWEEP_MS = 1_000;

/** A sweep this much later than planned means that the edge itself was stopped: nobody is to blame for that. */
const STALL_MS = 1_000;

/** After a sleep of the machine every link is looked at within this time, and not all at once. */
const CHECK_WITHIN_MS = 5_000;

export interface KeepaliveSweepDeps {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** What an edge before this one learned of networks. */
  readonly learnedTimers: readonly NetworkTimer[];
  /** What is known of them has changed. */
  readonly keepTimers: (timers: readonly NetworkTimer[]) => void;
}

/** Notes when clients were last heard; with keepalive on, pings the silent ones and gives up those that stay so. */
export class KeepaliveSweep {
  readonly #links: ReadonlyMap<Link, unknown>;
  readonly #deps: KeepaliveSweepDeps;
  readonly #timers: NetworkTimers | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Links on which a longer interval is tried, with it. */
  readonly #trials = new Map<Link, number>();
  #sweptAt: number;

  constructor(links: ReadonlyMap<Link, unknown>, deps: KeepaliveSweepDeps) {
    const { keepalive } = deps.settings;
    this.#links = links;
    this.#deps = deps;
    if (keepalive.adaptive) this.#timers = new NetworkTimers(keepalive.intervalMs, deps.learnedTimers);
    this.#sweptAt = deps.clock.now();
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** What was learned of networks whose boxes are impatient. */
  get learned(): readonly NetworkTimer[] {
    return this.#timers?.learned ?? [];
  }

  /** How often a client at this address is pinged. */
  rulesFor(address: string): KeepaliveRules {
    const { intervalMs, timeoutMs } = this.#deps.settings.keepalive;
    return { intervalMs: this.#timers?.intervalMs(networkOf(address)) ?? intervalMs, timeoutMs };
  }

  /** The machine has slept: what boxes on the way forgot meanwhile is found out soon. */
  checkAll(): void {
    const { clock, random } = this.#deps;
    for (const link of this.#links.keys()) lookSoon(link.keepalive, clock.now(), CHECK_WITHIN_MS, random);
  }

  /** A link ended, for whatever reason. */
  ended(link: Link): void {
    if (this.#trials.delete(link)) this.#timers?.abandonTrial(networkOf(link.clientAddress));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const { clock, settings, random } = this.#deps;
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
      const action = stepKeepalive(link.keepalive, input, this.#rulesOf(link), random);
      if (action === "ping") link.ping();
      else if (action === "answered") this.#answered(link);
      else if (action === "unreachable") this.#unreachable(link);
    }
  }

  #rulesOf(link: Link): KeepaliveRules {
    const trialMs = this.#trials.get(link);
    const rules = this.rulesFor(link.clientAddress);
    return trialMs === undefined ? rules : { ...rules, intervalMs: trialMs };
  }

  #answered(link: Link): void {
    const timers = this.#timers;
    if (timers === undefined) return;
    const network = networkOf(link.clientAddress);
    const now = this.#deps.clock.wall();
    const isTrial = this.#trials.has(link);
    if (timers.survived(network, link.keepalive.idleMs, { now, isTrial })) {
      this.#trials.delete(link);
      this.#changed(
        `${network}: pings go every ${this.#secondsOf(network)} s, as a longer silence was survived`,
      );
    }
    const trialMs = isTrial ? undefined : timers.beginTrial(network, now);
    if (trialMs === undefined) return;
    this.#trials.set(link, trialMs);
    this.#changed(`${network}: ${trialMs / 1000} s between pings are tried on one client`);
  }

  #unreachable(link: Link): void {
    const { clock, log, random, settings } = this.#deps;
    const isTrial = this.#trials.delete(link);
    const network = networkOf(link.clientAddress);
    const { idleMs } = link.keepalive;
    log(
      `client ${link.clientAddress} is unreachable: no answer to a ping after ${Math.round(idleMs / 1000)} s of silence`,
    );
    if (this.#timers?.died(network, idleMs, { now: clock.wall(), isTrial }) === true) {
      const text = isTrial
        ? `${network}: a longer interval was tried, and cost one client its connection`
        : `${network}: pings go every ${this.#secondsOf(network)} s, as clients were lost after ${Math.round(idleMs / 1000)} s of silence`;
      this.#changed(text);
      for (const other of this.#links.keys()) {
        if (networkOf(other.clientAddress) === network) {
          hasten(other.keepalive, clock.now(), this.#rulesOf(other), random);
        }
      }
    }
    link.end(CLOSE.timeout, `no answer to a ping within ${settings.keepalive.timeoutMs / 1000} s`, {
      by: "network",
      cause: "client-unreachable",
    });
  }

  #secondsOf(network: string): number {
    return this.#timers!.intervalMs(network) / 1000;
  }

  #changed(text: string): void {
    this.#deps.log(`keepalive: ${text}`);
    this.#deps.keepTimers(this.learned);
  }
}
