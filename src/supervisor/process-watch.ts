import type { CgroupMemory, Host } from "../host/types.ts";

/** Reading two files of /proc: cheap enough to see a leak of minutes, or of seconds. */
const LOOK_MS = 2_000;

/** A process that dies young is looked at early: at its start it has not become itself yet. */
const EARLY_LOOKS_MS = [150, 600];

/** Looks that are kept: five minutes. */
const MAX_LOOKS = 150;

export interface UsageLook {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly rssBytes: number;
  readonly openFiles?: number;
}

/** Watches what a process uses while it lives, for the day it does not. */
export class ProcessWatch {
  readonly looks: UsageLook[] = [];
  /** The cgroup as it was when the process started. */
  cgroupBefore: CgroupMemory | undefined;
  peakRssBytes: number | undefined;
  peakHeapBytes: number | undefined;

  readonly #host: Host;
  readonly #pid: number;
  readonly #wall: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #early: NodeJS.Timeout[];

  constructor(pid: number, host: Host, wall: () => number) {
    this.#pid = pid;
    this.#host = host;
    this.#wall = wall;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#early = EARLY_LOOKS_MS.map((ms) => setTimeout(() => void this.look(), ms));
    void this.#begin();
  }

  noteHeap(bytes: number): void {
    this.peakHeapBytes = Math.max(this.peakHeapBytes ?? 0, bytes);
  }

  async look(): Promise<void> {
    const usage = await this.#host.usage(this.#pid).catch(() => undefined);
    if (usage === undefined) return;
    const { rssBytes, peakRssBytes = 0, openFiles } = usage;
    this.peakRssBytes = Math.max(this.peakRssBytes ?? 0, rssBytes, peakRssBytes);
    this.looks.push({ at: this.#wall(), rssBytes, ...(openFiles === undefined ? {} : { openFiles }) });
    if (this.looks.length > MAX_LOOKS) this.looks.shift();
  }

  /** The cgroup now, also when the process is gone. */
  async cgroupNow(): Promise<CgroupMemory | undefined> {
    if (this.cgroupBefore === undefined) return undefined;
    return await this.#host.cgroupMemory(this.cgroupBefore.path).catch(() => undefined);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const timer of this.#early) clearTimeout(timer);
  }

  async #begin(): Promise<void> {
    const path = await this.#host.cgroupOf(this.#pid).catch(() => undefined);
    if (path !== undefined) this.cgroupBefore = await this.#host.cgroupMemory(path).catch(() => undefined);
    await this.look();
  }
}
