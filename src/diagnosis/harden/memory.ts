import { freemem, totalmem } from "node:os";
import { heapBounds } from "../remedies/heap-bounds.ts";
import type { Advice, Own } from "./types.ts";

const MB = 2 ** 20;

/** Below it a gateway of any kind runs out of heap (`heap-limit-low` of the doctor says the same). */
const MIN_HEAP_MB = 256;

/** What OpenClaw's users settle at (knowledge §2.1, `oom`). */
const GOOD_HEAP_MB = 4096;

export function memoryRestartAdvice({ config, set }: Own): Advice {
  const { memoryRestart } = config.supervisor;
  const machine = `${Math.round(totalmem() / MB)} MB of memory, ${Math.round(freemem() / MB)} MB free`;
  const base = {
    id: "memory-restart",
    title: "The gateway is restarted before it runs out of memory",
    reason:
      "a restart that is announced loses nothing; being killed for memory does (issue #154812: a leak of 6 GB)",
    current: `${memoryRestart ? "on" : "off"} (${machine})`,
  };
  if (memoryRestart) return { ...base, state: "ok" };
  return { ...base, state: "change", plan: set({ "supervisor.memoryRestart": "true" }) };
}

/** A heap limit that the machine does not have, or that is none; what V8 chooses by itself fits. */
export async function heapAdvice({ config, machine, set }: Own): Promise<Advice[]> {
  if (config.gateway.upstream.type === "url") return [];
  const { memoryMb, mostMb } = await heapBounds(machine);
  const fromOptions = /--max[-_]old[-_]space[-_]size=(\d+)/.exec(machine.env.NODE_OPTIONS ?? "")?.[1];
  const limit = config.supervisor.heapMb ?? (fromOptions === undefined ? undefined : Number(fromOptions));
  const base = {
    id: "heap",
    title: "The gateway's heap fits the memory it has",
    reason: "beyond 60 % of it the kernel kills before V8 collects; below 256 MB V8 itself gives up",
    current: `${limit === undefined ? "V8's own choice" : `${limit} MB`} of ${memoryMb} MB`,
  };
  const isGood = limit === undefined || (limit <= mostMb && limit >= Math.min(MIN_HEAP_MB, mostMb));
  if (isGood) return [{ ...base, state: "ok" }];
  const plan = set({ "supervisor.heapMb": String(Math.min(mostMb, GOOD_HEAP_MB)) });
  return [{ ...base, state: "change", plan }];
}
