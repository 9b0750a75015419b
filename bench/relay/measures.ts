import { setTimeout as sleep } from "node:timers/promises";
import { busySeconds } from "../lib/busy.ts";
import { cpuSeconds } from "../lib/cpu.ts";
import { memoryOf } from "../lib/memory.ts";
import { freePort } from "../lib/port.ts";
import { type Backend, startBackend } from "./backend-process.ts";
import type { LoadResult } from "./load/options.ts";
import { holdLinks, type LoadRequest, runLoad } from "./load-process.ts";
import type { Sample } from "./metrics.ts";
import type { ProxyEntry, RunningProxy } from "./proxies/proxy.ts";

export interface Situation {
  readonly proxy: ProxyEntry;
  readonly running: RunningProxy;
  readonly backend: Backend;
  readonly seconds: number;
  /** Messages per second of the fixed half load. */
  readonly halfRate: number;
  readonly idleLinks: number;
  readonly signal: AbortSignal;
}

export type Measure = (situation: Situation) => Promise<Sample>;

/** How long new idle links settle before memory is read, in ms. */
const SETTLE_MS = 2_000;

/** In the order in which a round takes them. */
export const measures = { small, large, half, roundtrip, idle } as const satisfies Record<string, Measure>;
export type MeasureName = keyof typeof measures;

async function small(situation: Situation): Promise<Sample> {
  const load = { connections: 64, inFlight: 8, payload: 256 };
  const { result, proxyCpu, backendCpu, otherShare } = await loaded(situation, "throughput", load);
  return {
    smallRate: result.perSecond,
    smallP99: result.latency.p99,
    ...(proxyCpu !== undefined && { smallCpu: proxyCpu }),
    generatorShare: result.cpuShare * 100,
    backendShare: (backendCpu * result.perSecond) / 1e4,
    otherShare: otherShare * 100,
  };
}

async function large(situation: Situation): Promise<Sample> {
  const load = { connections: 64, inFlight: 1, payload: 65_536 };
  const { result, proxyCpu } = await loaded(situation, "throughput", load);
  return { largeRate: result.perSecond, ...(proxyCpu !== undefined && { largeCpu: proxyCpu }) };
}

async function half(situation: Situation): Promise<Sample> {
  const load = { connections: 64, inFlight: 8, payload: 256, rate: situation.halfRate };
  const { result, proxyCpu } = await loaded(situation, "fixed-rate", load);
  return {
    halfP50: result.latency.p50,
    halfP99: result.latency.p99,
    ...(result.lateP99 !== undefined && { lateP99: result.lateP99 }),
    ...(proxyCpu !== undefined && { halfCpu: proxyCpu }),
  };
}

async function roundtrip(situation: Situation): Promise<Sample> {
  const { result } = await loaded(situation, "roundtrip", { payload: 256 });
  return { roundtripP50: result.latency.p50 * 1000, roundtripP99: result.latency.p99 * 1000 };
}

/** A proxy and a backend of its own: memory that earlier load left behind would hide the links'. */
async function idle({ proxy, idleLinks, signal }: Situation): Promise<Sample> {
  if (proxy.name === "direct") return {};
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(signal);
  stack.defer(backend.stop);
  const running = await proxy.start(await freePort(), backend.port, signal);
  stack.defer(running.stop);
  const { port } = running;

  // what the first links cost once (compiled code, buffers, pools) is not a link's price
  const warmup = await holdLinks({ port, connections: 100, payload: 256 }, signal);
  await warmup.release();
  await sleep(SETTLE_MS, undefined, { signal });
  const before = memoryOf(running.pids());
  const held = await holdLinks({ port, connections: idleLinks, payload: 256 }, signal);
  stack.defer(held.release);
  await sleep(SETTLE_MS, undefined, { signal });
  const after = memoryOf(running.pids());
  return { idlePss: (after.pss - before.pss) / idleLinks / 1024 };
}

interface Loaded {
  readonly result: LoadResult;
  /** CPU time in µs per message; `undefined` without a proxy. */
  readonly proxyCpu: number | undefined;
  readonly backendCpu: number;
  /** CPU time that neither the proxy nor we used, over wall time. */
  readonly otherShare: number;
}

/** Runs load and reads the CPU that was spent meanwhile. */
async function loaded(
  { running, backend, seconds, signal }: Situation,
  mode: string,
  request: Omit<LoadRequest, "port">,
): Promise<Loaded> {
  const read = () => ({
    proxy: cpuSeconds(running.pids()),
    backend: cpuSeconds([backend.pid]),
    own: cpuSeconds([process.pid]),
    machine: busySeconds(),
    clock: performance.now() / 1000,
  });
  const before = read();
  const result = await runLoad(mode, { ...request, port: running.port, seconds }, signal);
  const after = read();
  const spent = (part: keyof typeof before) => after[part] - before[part];
  const ours = spent("proxy") + spent("backend") + spent("own") + result.cpuSecondsInAll;
  const perMessage = (cpu: number) => (cpu * 1e6) / result.messagesInAll;
  return {
    result,
    proxyCpu: running.pids().length > 0 ? perMessage(spent("proxy")) : undefined,
    backendCpu: perMessage(spent("backend")),
    otherShare: Math.max(0, spent("machine") - ours) / spent("clock"),
  };
}
