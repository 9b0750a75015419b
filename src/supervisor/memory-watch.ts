import { type MemoryLook, memoryTrouble } from "../policy/memory.ts";
import type { ProcessWatch } from "./process-watch.ts";

/** How often a gateway's memory is compared with its limits. */
const LOOK_MS = 2_000;

/** Looks that are kept: more than `memoryTrouble` asks for. */
const LOOKS = 10;

/** Before a restart that failed is asked for again: what it failed of, as a config that is broken, takes a person. */
const AGAIN_MS = 60_000;

/** Watches one life of a gateway; `restart` is told why it will run out of memory, again while it says that it failed (false). */
export class MemoryWatch {
  readonly #watch: Pick<ProcessWatch, "cgroupNow">;
  readonly #restart: (trouble: string) => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #heap: MemoryLook["heap"];
  #isStopped = false;

  constructor(watch: Pick<ProcessWatch, "cgroupNow">, restart: (trouble: string) => Promise<boolean>) {
    this.#watch = watch;
    this.#restart = restart;
    this.#begin();
  }

  /** What the gateway says of its heap. */
  heap(usedBytes: number, limitBytes: number): void {
    this.#heap = { usedBytes, limitBytes };
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  #begin(): void {
    const looks: MemoryLook[] = [];
    const timer = setInterval(async () => {
      const cgroup = await this.#watch.cgroupNow();
      if (this.#isStopped || this.#timer !== timer) return; // the gateway ended while it was looked at
      looks.push({ heap: this.#heap, cgroup });
      if (looks.length > LOOKS) looks.shift();
      const trouble = memoryTrouble(looks);
      if (trouble === undefined) return;
      clearInterval(timer);
      this.#timer = undefined;
      if (await this.#restart(trouble)) return;
      if (!this.#isStopped) this.#timer = setTimeout(() => this.#begin(), AGAIN_MS);
    }, LOOK_MS);
    this.#timer = timer;
  }
}
