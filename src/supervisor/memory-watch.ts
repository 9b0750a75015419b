import { type MemoryLook, memoryTrouble } from "../policy/memory.ts";
import type { ProcessWatch } from "./process-watch.ts";

/** How often a gateway's memory is compared with its limits. */
const LOOK_MS = 2_000;

/** Looks that are kept: more than `memoryTrouble` asks for. */
const LOOKS = 10;

/** Watches one life of a gateway; `onTrouble` is told once why it will run out of memory. */
export class MemoryWatch {
  readonly #timer: NodeJS.Timeout;
  #heap: MemoryLook["heap"];
  #isStopped = false;

  constructor(watch: ProcessWatch, onTrouble: (trouble: string) => void) {
    const looks: MemoryLook[] = [];
    this.#timer = setInterval(async () => {
      const cgroup = await watch.cgroupNow();
      if (this.#isStopped) return; // the gateway ended while it was looked at
      looks.push({ heap: this.#heap, cgroup });
      if (looks.length > LOOKS) looks.shift();
      const trouble = memoryTrouble(looks);
      if (trouble === undefined) return;
      this.stop();
      onTrouble(trouble);
    }, LOOK_MS);
  }

  /** What the gateway says of its heap. */
  heap(usedBytes: number, limitBytes: number): void {
    this.#heap = { usedBytes, limitBytes };
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }
}
