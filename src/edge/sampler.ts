import { statfs } from "node:fs/promises";
import { freemem, totalmem, uptime } from "node:os";
import { createHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../core/ports.ts";
import type { Note, Sample } from "../core/records.ts";
import type { Host } from "../host/types.ts";

const TICK_MS = 1_000;
const SAMPLE_TICKS = 10;

/** Nanoseconds, as event-loop delays are measured. */
const NS_PER_MS = 1e6;

/** How far two clocks, or a timer and its due time, may differ before it means something. */
const JUMP_MS = 2_000;

/** Below this share of its size memory, or the disk of the state directory, is low. */
const LOW_SHARE = 0.05;

export interface SamplerDeps {
  readonly clock: Clock;
  readonly host: Host;
  readonly stateDir: string;
  readonly memory: () => { readonly rss: number; readonly heapUsed: number };
  readonly connections: () => { readonly open: number; readonly held: number };
  readonly gatewayPid: () => number | undefined;
  readonly onSample: (sample: Sample) => void;
  readonly onNote: (note: Note) => void;
}

/** Looks at edge, gateway and machine every 10 s, and notices every second when time itself jumped. */
export class Sampler {
  readonly #deps: SamplerDeps;
  readonly #loop = monitorEventLoopDelay();
  readonly #rtt = createHistogram();
  readonly #timer: NodeJS.Timeout;
  readonly #low = new Set<Note["kind"]>();
  #ticks = 0;
  #isSampling = false;
  #last: { mono: number; wall: number; boot: number };

  constructor(deps: SamplerDeps) {
    this.#deps = deps;
    this.#last = this.#times();
    this.#loop.enable();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** A ping was answered. */
  rtt(ms: number): void {
    this.#rtt.record(Math.max(1, Math.round(ms * 1000)));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.disable();
  }

  #tick(): void {
    const now = this.#times();
    this.#noteJumps(this.#last, now);
    this.#last = now;
    if (++this.#ticks % SAMPLE_TICKS !== 0 || this.#isSampling) return;
    // a disk that hangs would take one thread of Node's four each time
    this.#isSampling = true;
    void this.#sample().finally(() => (this.#isSampling = false));
  }

  /**
   * The wall clock goes on while a machine sleeps, the monotonic one does not, and the time since boot does: that
   * tells sleep from a clock that was set.
   */
  #noteJumps(last: Times, now: Times): void {
    const { onNote } = this.#deps;
    const passed = now.mono - last.mono;
    const jumped = now.wall - last.wall - passed;
    const slept = now.boot - last.boot - passed;
    const at = now.wall;
    if (slept > JUMP_MS) {
      onNote({ at, kind: "host-slept", text: `the machine slept for ${seconds(slept)}` });
    } else if (Math.abs(jumped) > JUMP_MS) {
      const direction = jumped > 0 ? "forward" : "back";
      onNote({
        at,
        kind: "clock-set",
        text: `the clock was set ${direction} by ${seconds(Math.abs(jumped))}`,
      });
    }
    if (passed - TICK_MS > JUMP_MS) {
      const text = `the edge was stopped, or had no CPU, for ${seconds(passed - TICK_MS)}`;
      onNote({ at, kind: "edge-stalled", text });
    }
  }

  async #sample(): Promise<void> {
    const { clock, host, memory, connections, gatewayPid, onSample } = this.#deps;
    const pid = gatewayPid();
    const [usage, disk] = await Promise.all([
      pid === undefined ? undefined : host.usage(pid).catch(() => undefined),
      statfs(this.#deps.stateDir).catch(() => undefined),
    ]);
    const { rss, heapUsed } = memory();
    const { open, held } = connections();
    const percentile = (p: number) => (this.#rtt.count === 0 ? null : this.#rtt.percentile(p) / 1000);
    const diskFreeBytes = disk === undefined ? null : disk.bavail * disk.bsize;
    const sample: Sample = {
      at: clock.wall(),
      connections: open,
      held,
      rssBytes: rss,
      heapBytes: heapUsed,
      loopP50Ms: this.#loop.percentile(50) / NS_PER_MS,
      loopP99Ms: this.#loop.percentile(99) / NS_PER_MS,
      rttP50Ms: percentile(50),
      rttP99Ms: percentile(99),
      gatewayRssBytes: usage?.rssBytes ?? null,
      memoryAvailableBytes: freemem(),
      diskFreeBytes,
    };
    this.#loop.reset();
    this.#rtt.reset();
    onSample(sample);
    this.#noteLow("memory-low", sample.memoryAvailableBytes, totalmem(), "memory of the machine");
    const diskSize = disk === undefined ? 0 : disk.blocks * disk.bsize;
    this.#noteLow("disk-low", diskFreeBytes, diskSize, "disk of the state directory");
  }

  /** Once, until it is no longer so. */
  #noteLow(kind: "memory-low" | "disk-low", free: number | null, size: number, what: string): void {
    if (free === null || free >= size * LOW_SHARE) {
      this.#low.delete(kind);
      return;
    }
    if (this.#low.has(kind)) return;
    this.#low.add(kind);
    const text = `the ${what} is low: ${Math.round(free / 2 ** 20)} MB of ${Math.round(size / 2 ** 20)} MB free`;
    this.#deps.onNote({ at: this.#deps.clock.wall(), kind, text });
  }

  #times(): Times {
    const { clock } = this.#deps;
    return { mono: clock.now(), wall: clock.wall(), boot: uptime() * 1000 };
  }
}

interface Times {
  readonly mono: number;
  readonly wall: number;
  readonly boot: number;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
