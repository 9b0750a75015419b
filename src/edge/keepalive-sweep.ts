import { networkOf } from "../core/address-ranges.ts";
import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { EdgeSettings } from "../core/messages.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import type { Clock, Log } from "../core/ports.ts";
import {
  forgiveStall,
  hasten,
  type KeepaliveRules,
  type KeepaliveState,
  lookSoon,
  slacken,
  startKeepalive,
  stepKeepalive,
} from "../policy/keepalive.ts";
import { NetworkTimers, wasSilent } from "../policy/network-timers.ts";
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
  readonly #preset: KeepaliveRules;
  /** Undefined if nothing is to be learned. */
  readonly #timers: NetworkTimers | undefined;
  /** The rules of networks that have links, with the number of these. */
  readonly #networks = new Map<string, { rules: KeepaliveRules; links: number }>();
  readonly #timer: NodeJS.Timeout;
  #sweptAt: number;
  /** Silences that end earlier hold a sleep of the machine, whose length is in no clock that counts here. */
  #learnsFrom = 0;

  constructor(links: ReadonlyMap<Link, unknown>, deps: KeepaliveSweepDeps) {
    const { enabled, adaptive, intervalMs, timeoutMs } = deps.settings.keepalive;
    this.#links = links;
    this.#deps = deps;
    this.#preset = { intervalMs, timeoutMs };
    if (enabled && adaptive) this.#timers = new NetworkTimers(intervalMs, deps.learnedTimers);
    this.#sweptAt = deps.clock.now();
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** What was learned of networks whose boxes are impatient. */
  get learned(): readonly NetworkTimer[] {
    return this.#timers?.learned ?? [];
  }

  /** The keepalive of a link that begins, and whose end will be told. */
  begin(clientAddress: string): KeepaliveState {
    const { clock, random } = this.#deps;
    return startKeepalive(clock.now(), this.#join(clientAddress), random);
  }

  /** A link ended, for whatever reason. */
  ended({ keepalive: { rules, pongDueAt, idleMs } }: Link, cause: CauseId): void {
    const { network, isTrial } = rules;
    if (network === undefined) return;
    // a box that forgot, and says so to the ping; not of a silence in which the machine slept
    const isReset = cause === "client-reset" && pongDueAt !== 0 && Number.isFinite(idleMs);
    if (isReset) this.#lost(rules, idleMs);
    else if (isTrial) this.#timers!.handOverTrial(network);
    const known = this.#networks.get(network)!;
    if (--known.links === 0) this.#networks.delete(network);
  }

  /** The machine has slept: what boxes on the way forgot meanwhile is found out soon. */
  checkAll(): void {
    const { clock, random } = this.#deps;
    const now = clock.now();
    this.#learnsFrom = now + CHECK_WITHIN_MS + SWEEP_MS;
    for (const { keepalive } of this.#links.keys()) {
      keepalive.idleMs = Number.POSITIVE_INFINITY;
      lookSoon(keepalive, now, CHECK_WITHIN_MS, random);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #join(clientAddress: string): KeepaliveRules {
    const network = this.#timers === undefined ? undefined : networkOf(clientAddress);
    if (network === undefined) return this.#preset;
    const known = this.#networks.get(network);
    if (known !== undefined) {
      known.links++;
      return known.rules;
    }
    const rules = this.#rulesOf(network);
    this.#networks.set(network, { rules, links: 1 });
    return rules;
  }

  #rulesOf(network: string): KeepaliveRules {
    return { ...this.#preset, intervalMs: this.#timers!.intervalMs(network), network };
  }

  /** Runs for every link every second: nothing is made in it but what `stepKeepalive` looks at. */
  #sweep(): void {
    const { clock, settings, random } = this.#deps;
    const now = clock.now();
    const stalledMs = now - this.#sweptAt - SWEEP_MS;
    this.#sweptAt = now;
    for (const link of this.#links.keys()) {
      const { keepalive } = link;
      if (stalledMs > STALL_MS) {
        forgiveStall(keepalive, stalledMs);
        if (keepalive.nextPingAt < now) lookSoon(keepalive, now, CHECK_WITHIN_MS, random);
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
      const action = stepKeepalive(keepalive, input, random);
      if (action === "ping") {
        if (now < this.#learnsFrom) keepalive.idleMs = Number.POSITIVE_INFINITY;
        link.ping();
      } else if (action === "answered") this.#answered(keepalive);
      else if (action === "unreachable") this.#unreachable(link);
    }
  }

  #answered(keepalive: KeepaliveState): void {
    const { rules, idleMs } = keepalive;
    const { network, isTrial = false } = rules;
    const timers = this.#timers!;
    if (network === undefined || !timers.knows(network) || !Number.isFinite(idleMs)) return;
    const { clock, random } = this.#deps;
    const now = clock.wall();
    if (timers.survived(network, idleMs, { now, isTrial })) {
      this.#apply(network, "as a longer silence was survived");
      return;
    }
    if (!wasSilent(idleMs, rules.intervalMs)) {
      if (isTrial) this.#endTrial(keepalive, network);
      return;
    }
    const isHandedOver = timers.isTrying(network);
    const trialMs = isTrial ? undefined : timers.beginTrial(network, now);
    if (trialMs === undefined) return;
    slacken(keepalive, { ...rules, intervalMs: trialMs, isTrial: true }, clock.now(), random);
    if (isHandedOver) return; // where everybody talks it goes on for ever: once is enough to tell
    this.#changed(`${network}: ${seconds(trialMs)} between pings are tried on one client`);
  }

  /** It talks: it would never be silent for as long as the trial asks. */
  #endTrial(keepalive: KeepaliveState, network: string): void {
    const { clock, random } = this.#deps;
    this.#timers!.handOverTrial(network);
    hasten(keepalive, this.#networks.get(network)!.rules, clock.now(), random);
  }

  #unreachable(link: Link): void {
    const { log, settings } = this.#deps;
    const { keepalive, clientAddress } = link;
    const { idleMs, rules } = keepalive;
    const after = Number.isFinite(idleMs) ? ` after ${seconds(idleMs)} of silence` : "";
    log(`client ${clientAddress} is unreachable: no answer to a ping${after}`);
    if (Number.isFinite(idleMs)) {
      this.#lost(rules, idleMs);
      // its end is told, too: once is enough
      if (rules.isTrial) keepalive.rules = this.#networks.get(rules.network!)!.rules;
    }
    link.end(CLOSE.timeout, `no answer to a ping within ${settings.keepalive.timeoutMs / 1000} s`, {
      by: "network",
      cause: "client-unreachable",
    });
  }

  #lost({ network, isTrial = false }: KeepaliveRules, idleMs: number): void {
    const now = this.#deps.clock.wall();
    if (network === undefined || !this.#timers!.died(network, idleMs, { now, isTrial })) return;
    if (isTrial) this.#changed(`${network}: a longer interval was tried, and cost one client its connection`);
    else this.#apply(network, `as clients were lost after ${seconds(idleMs)} of silence`);
  }

  /** What was learned is in force for every link of the network. */
  #apply(network: string, why: string): void {
    const { clock, random } = this.#deps;
    const rules = this.#rulesOf(network);
    const known = this.#networks.get(network);
    if (known !== undefined) known.rules = rules;
    for (const { keepalive } of this.#links.keys()) {
      if (keepalive.rules.network === network) hasten(keepalive, rules, clock.now(), random);
    }
    this.#changed(`${network}: pings go every ${seconds(rules.intervalMs)}, ${why}`);
  }

  #changed(text: string): void {
    this.#deps.log(`keepalive: ${text}`);
    this.#deps.keepTimers(this.learned);
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
