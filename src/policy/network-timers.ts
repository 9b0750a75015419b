import type { NetworkTimer } from "../core/network-timer.ts";

/** Never more often: it would be traffic for its own sake, and a phone's battery. */
export const FLOOR_MS = 5_000;

/** A client that dies takes one connection; a box that forgets takes those of everybody. */
const DEATHS_TO_LEARN = 3;

/** What is older says nothing about the boxes of today. */
const WINDOW_MS = 10 * 60_000;

/** Of the silence that killed: the limit lies somewhere below it, and pings jitter by 10 %. */
const SHARE = 0.6;

/** Pings come up to 10 % late by their jitter, and a sweep later. */
const LATE = 1.3;

/** A longer interval is tried on one link, and taken over when it held so often. */
const TRIAL_FACTOR = 1.5;
const TRIAL_HOLDS = 5;

/** A failed trial costs somebody a connection. */
const TRIAL_EVERY_MS = 24 * 3_600_000;

/** More networks than a gateway has clients from; the one heard of longest ago goes. */
const MAX_NETWORKS = 1_000;

interface Network {
  timer: NetworkTimer | undefined;
  deaths: { at: number; idleMs: number }[];
  /** Silences that were survived lately: the longest. */
  survivals: { at: number; idleMs: number }[];
  trial: { intervalMs: number; holds: number } | undefined;
  heardAt: number;
}

/**
 * Learns from connections that died silently how long the boxes of each network let one be silent, and how often a ping
 * has to go there. Networks that lose nobody keep the preset.
 */
export class NetworkTimers {
  readonly #presetMs: number;
  readonly #networks = new Map<string, Network>();

  constructor(presetMs: number, kept: readonly NetworkTimer[] = []) {
    this.#presetMs = presetMs;
    for (const timer of kept.slice(0, MAX_NETWORKS)) {
      this.#networks.set(timer.network, { ...fresh(timer.learnedAt), timer });
    }
  }

  /** What was learned, for whoever keeps or shows it. */
  get learned(): readonly NetworkTimer[] {
    return [...this.#networks.values()].flatMap(({ timer }) => timer ?? []);
  }

  intervalMs(network: string): number {
    return Math.min(this.#presetMs, this.#networks.get(network)?.timer?.intervalMs ?? this.#presetMs);
  }

  /**
   * A ping after `idleMs` of silence was never answered, and nothing told why. True if that changed what is known. That
   * of a trial counts apart: it was ours to lose.
   */
  died(
    network: string,
    idleMs: number,
    { now, isTrial }: { readonly now: number; readonly isTrial: boolean },
  ): boolean {
    const known = this.#of(network, now);
    if (isTrial) {
      known.trial = undefined;
      if (known.timer !== undefined) known.timer = { ...known.timer, trialDrops: known.timer.trialDrops + 1 };
      return true;
    }
    // one that died soon after a word was not forgotten by a box: its client is gone, or its way
    const before = this.intervalMs(network);
    if (idleMs < before / 2) return false;
    // nor is it news of one that was left alone for longer than pings go by now: it began before that was learned
    if (idleMs > LATE * before) return false;
    known.deaths = [...known.deaths.filter(({ at }) => now - at < WINDOW_MS), { at: now, idleMs }].slice(-20);
    if (known.deaths.length < DEATHS_TO_LEARN) return false;
    const shortest = Math.min(...known.deaths.map((death) => death.idleMs));
    const survived = known.survivals.filter(
      ({ at, idleMs: ms }) => now - at < WINDOW_MS && ms >= shortest,
    ).length;
    if (survived >= known.deaths.length) return false; // others were as silent, and live
    const intervalMs = Math.max(FLOOR_MS, Math.round(SHARE * shortest));
    known.deaths = [];
    if (intervalMs >= before) return false;
    known.timer = {
      network,
      intervalMs,
      killedAfterMs: shortest,
      learnedAt: now,
      triedAt: now,
      trialDrops: known.timer?.trialDrops ?? 0,
    };
    known.trial = undefined;
    return true;
  }

  /** A ping after `idleMs` of silence was answered. True if that changed what is known. */
  survived(
    network: string,
    idleMs: number,
    { now, isTrial }: { readonly now: number; readonly isTrial: boolean },
  ): boolean {
    const known = this.#networks.get(network);
    if (known === undefined) return false; // nothing to weigh it against
    known.survivals = [
      ...known.survivals.filter(({ at }) => now - at < WINDOW_MS),
      { at: now, idleMs },
    ].slice(-20);
    if (!isTrial || known.trial === undefined || known.timer === undefined) return false;
    known.trial.holds++;
    if (known.trial.holds < TRIAL_HOLDS) return false;
    const { intervalMs } = known.trial;
    known.trial = undefined;
    if (intervalMs >= this.#presetMs) this.#networks.delete(network);
    else known.timer = { ...known.timer, intervalMs, learnedAt: now };
    return true;
  }

  /** The interval of a trial that may begin now on one link of the network; undefined if none may. */
  beginTrial(network: string, now: number): number | undefined {
    const known = this.#networks.get(network);
    if (known?.timer === undefined || known.trial !== undefined) return undefined;
    if (now - known.timer.triedAt < TRIAL_EVERY_MS) return undefined;
    const intervalMs = Math.min(this.#presetMs, Math.round(known.timer.intervalMs * TRIAL_FACTOR));
    known.timer = { ...known.timer, triedAt: now };
    known.trial = { intervalMs, holds: 0 };
    return intervalMs;
  }

  /** The link of a trial ended for another reason: the next one may take it over. */
  abandonTrial(network: string): void {
    const known = this.#networks.get(network);
    if (known !== undefined) known.trial = undefined;
  }

  #of(network: string, now: number): Network {
    const known = this.#networks.get(network) ?? fresh(now);
    known.heardAt = now;
    this.#networks.delete(network);
    this.#networks.set(network, known);
    if (this.#networks.size > MAX_NETWORKS) this.#networks.delete(this.#networks.keys().next().value!);
    return known;
  }
}

function fresh(now: number): Network {
  return { timer: undefined, deaths: [], survivals: [], trial: undefined, heardAt: now };
}

/** What boxes in front of a client share: an IPv4 /24, an IPv6 /48. */
export function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address);
  if (v4 !== null) return `${v4[1]}.0/24`;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...back];
  return `${groups.slice(0, 3).join(":")}::/48`;
}
