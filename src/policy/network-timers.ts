import type { NetworkTimer } from "../core/network-timer.ts";

/** Never more often: it would be traffic for its own sake, and a phone's battery. */
export const FLOOR_MS = 5_000;

/** A client that dies takes one connection; a box that forgets takes those of everybody. */
const DEATHS_TO_LEARN = 3;

/** What is older says nothing about the boxes of today. */
const WINDOW_MS = 10 * 60_000;

/** Of the silence that killed: the limit lies somewhere below it, and pings jitter by 10 %. */
const SHARE = 0.6;

/** Pings come up to 10 % late by their jitter; they and what was heard are seen in sweeps of a second each. */
const JITTERED = 1.1;
const SWEEPS_MS = 2_000;

/** A longer interval is tried on one link; when it held so often, what its shortest silence allows is taken over. */
const TRIAL_FACTOR = 1.5;
const TRIAL_HOLDS = 5;

/** A failed trial costs somebody a connection. */
const TRIAL_EVERY_MS = 24 * 3_600_000;

/**
 * An outage ends everybody's connections, too: soon after a network was first learned, one link of it goes back to what
 * was in force before. If that holds, it was no timer.
 */
const DOUBT_MS = 30_000;

/** Of its interval. */
const SILENT_SHARE = 0.8;

/** More networks than a gateway has clients from; of the others the one heard of longest ago goes. */
const MAX_NETWORKS = 1_000;

interface Network {
  timer: NetworkTimer | undefined;
  deaths: { at: number; idleMs: number }[];
  /** Silences that were survived lately: the longest. */
  survivals: { at: number; idleMs: number }[];
  /** `heldMs`: the silences that it survived by now; `isRunning` while a link has it. */
  trial: { intervalMs: number; heldMs: number[]; isRunning: boolean } | undefined;
  /** The interval before it was learned, until that was tried again. */
  doubtedMs: number | undefined;
}

/**
 * Learns from connections that died silently how long the boxes of each network let one be silent, and how often a ping
 * has to go there. Networks that lose nobody keep the preset. `now` is wall-clock milliseconds.
 */
export class NetworkTimers {
  readonly #presetMs: number;
  readonly #networks = new Map<string, Network>();

  constructor(presetMs: number, kept: readonly NetworkTimer[] = []) {
    this.#presetMs = presetMs;
    // the preset may have been shorter, or the file another's
    const inForce = kept.filter(({ intervalMs }) => intervalMs >= FLOOR_MS && intervalMs < presetMs);
    for (const timer of inForce.slice(0, MAX_NETWORKS)) {
      const isUntried = timer.triedAt === timer.learnedAt;
      this.#networks.set(timer.network, { ...fresh(), timer, doubtedMs: isUntried ? presetMs : undefined });
    }
  }

  /** What was learned, for whoever keeps or shows it. */
  get learned(): readonly NetworkTimer[] {
    return [...this.#networks.values()].flatMap(({ timer }) => timer ?? []);
  }

  /** Whether a connection ever died there: of other networks nothing is kept. */
  knows(network: string): boolean {
    return this.#networks.has(network);
  }

  intervalMs(network: string): number {
    return this.#networks.get(network)?.timer?.intervalMs ?? this.#presetMs;
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
    const known = this.#of(network);
    if (isTrial) return failTrial(known, now);
    // one that died soon after a word was not forgotten by a box: its client is gone, or its way
    const before = this.intervalMs(network);
    if (idleMs < before / 2) return false;
    // nor is it news of one that was left alone for longer than pings go by now: it began before that was learned
    if (idleMs > JITTERED * before + SWEEPS_MS) return false;
    known.deaths = [...lately(known.deaths, now), { at: now, idleMs }].slice(-20);
    if (known.deaths.length < DEATHS_TO_LEARN) return false;
    const shortest = Math.min(...known.deaths.map((death) => death.idleMs));
    const asSilent = lately(known.survivals, now).filter(({ idleMs: ms }) => ms >= shortest / JITTERED);
    if (asSilent.length >= known.deaths.length) return false; // others live
    const intervalMs = Math.max(FLOOR_MS, Math.round(SHARE * shortest));
    known.deaths = [];
    if (intervalMs >= before) return false;
    if (known.timer === undefined) known.doubtedMs = before;
    known.timer = {
      network,
      intervalMs,
      killedAfterMs: Math.round(shortest),
      learnedAt: now,
      triedAt: known.timer?.triedAt ?? now,
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
    known.survivals = [...lately(known.survivals, now), { at: now, idleMs }].slice(-20);
    const { timer, trial } = known;
    if (!isTrial || trial === undefined || timer === undefined) return false;
    // the network is only forgotten for silences as long as the one that killed
    const isLast = trial.intervalMs >= this.#presetMs;
    const proves = isLast ? Math.min(timer.killedAfterMs, JITTERED * trial.intervalMs) : 0;
    if (wasSilent(idleMs, trial.intervalMs) && idleMs >= proves) trial.heldMs.push(idleMs);
    if (trial.heldMs.length < TRIAL_HOLDS) return false;
    known.trial = undefined;
    known.doubtedMs = undefined;
    if (isLast) this.#networks.delete(network);
    else {
      const held = Math.round((Math.min(...trial.heldMs) - SWEEPS_MS) / JITTERED);
      known.timer = { ...timer, intervalMs: Math.max(timer.intervalMs, held), learnedAt: now };
    }
    return true;
  }

  /** The interval of a trial that one link, a silent one, may take on now; undefined if there is none. */
  beginTrial(network: string, now: number): number | undefined {
    const known = this.#networks.get(network);
    if (known?.timer === undefined || known.trial?.isRunning === true) return undefined;
    const { timer, doubtedMs } = known;
    if (known.trial === undefined) {
      const isDue =
        doubtedMs === undefined
          ? isOver(timer.triedAt, TRIAL_EVERY_MS, now)
          : isOver(timer.learnedAt, DOUBT_MS, now);
      if (!isDue) return undefined;
      const longer = Math.min(this.#presetMs, Math.round(timer.intervalMs * TRIAL_FACTOR));
      known.trial = { intervalMs: doubtedMs ?? longer, heldMs: [], isRunning: false };
      known.timer = { ...timer, triedAt: now };
    }
    known.trial.isRunning = true;
    return known.trial.intervalMs;
  }

  /** Whether a longer interval is being tried, also if no link has it just now. */
  isTrying(network: string): boolean {
    return this.#networks.get(network)?.trial !== undefined;
  }

  /** The link of a trial has ended for another reason, or talks: another may take it over. */
  handOverTrial(network: string): void {
    const trial = this.#networks.get(network)?.trial;
    if (trial !== undefined) trial.isRunning = false;
  }

  #of(network: string): Network {
    const known = this.#networks.get(network) ?? fresh();
    this.#networks.delete(network);
    this.#networks.set(network, known);
    if (this.#networks.size > MAX_NETWORKS) this.#forgetOne();
    return known;
  }

  /** A network that loses nobody, as its pings come often enough, is not heard of: it goes last. */
  #forgetOne(): void {
    const names = this.#networks.keys();
    const oldest = names.next().value!;
    const isUnlearned = (name: string) => this.#networks.get(name)!.timer === undefined;
    this.#networks.delete(isUnlearned(oldest) ? oldest : ([...names].find(isUnlearned) ?? oldest));
  }
}

/** Whether nothing was said between two pings: only such a silence shows what a longer interval would meet. */
export function wasSilent(idleMs: number, intervalMs: number): boolean {
  return idleMs >= SILENT_SHARE * intervalMs;
}

function failTrial(known: Network, now: number): boolean {
  const { timer, trial } = known;
  if (timer === undefined || trial === undefined) return false;
  known.trial = undefined;
  known.doubtedMs = undefined;
  // it may have begun days ago, and gone from link to link: a day counts from what it cost
  known.timer = { ...timer, triedAt: now, trialDrops: timer.trialDrops + 1 };
  return true;
}

function lately<T extends { readonly at: number }>(events: readonly T[], now: number): T[] {
  return events.filter(({ at }) => !isOver(at, WINDOW_MS, now));
}

/** A moment further ahead than that was told by a clock that was wrong: it is over, too, or it would never be. */
function isOver(at: number, ms: number, now: number): boolean {
  return Math.abs(now - at) >= ms;
}

function fresh(): Network {
  return { timer: undefined, deaths: [], survivals: [], trial: undefined, doubtedMs: undefined };
}
