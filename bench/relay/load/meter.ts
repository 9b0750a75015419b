import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Link } from "./link.ts";
import type { LoadOptions, LoadResult } from "./options.ts";

/** How long to wait for the last echoes, in ms. */
const DRAIN_MS = 3_000;

/** Counts echoes and their latencies, and keeps the measured window apart from the warm-up. */
export class Meter {
  #histogram = createHistogram();
  #messages = 0;

  /** The echoes that one read of `link` completed. */
  count(link: Link, echoes: number, now: number): void {
    this.#messages += echoes;
    for (let i = 0; i < echoes; i++) this.#record(now - link.sent.shift());
  }

  /** Lets warm-up (until `begin`) and measured time pass, then `stop`s the senders and awaits the last echoes. */
  async window(
    options: LoadOptions,
    { links, begin, stop }: { links: readonly Link[]; begin?(): void; stop(): void },
  ): Promise<LoadResult> {
    await sleep(options.warmup * 1000);
    this.#histogram.reset();
    begin?.();
    const messagesBefore = this.#messages;
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    await sleep(options.seconds * 1000);
    const seconds = (performance.now() - begun) / 1000;
    const cpuShare = cpuSecondsSince(cpuBefore) / seconds;
    const messages = this.#messages - messagesBefore;
    stop();
    const lost = await this.#drain(links);
    return {
      messages,
      messagesInAll: this.#messages,
      perSecond: messages / seconds,
      latency: this.#latency(),
      cpuShare,
      cpuSecondsInAll: cpuSecondsSince(),
      lost,
    };
  }

  /** Late echoes count like the others, and what never came as old as it is by now: leaving them out flatters. */
  async #drain(links: readonly Link[]): Promise<number> {
    const underWay = () => links.reduce((sum, link) => sum + link.sent.length, 0);
    const deadline = performance.now() + DRAIN_MS;
    while (underWay() > 0 && performance.now() < deadline) await sleep(5);
    const lost = underWay();
    const now = performance.now();
    for (const { sent } of links) {
      while (sent.length > 0) this.#record(now - sent.shift());
    }
    return lost;
  }

  #record(milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * 1e6)));
  }

  #latency(): LoadResult["latency"] {
    const milliseconds = (nanoseconds: number) => nanoseconds / 1e6;
    return {
      p50: milliseconds(this.#histogram.percentile(50)),
      p99: milliseconds(this.#histogram.percentile(99)),
      max: milliseconds(this.#histogram.max),
    };
  }
}

function cpuSecondsSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
