import { join } from "node:path";
import { type Child, startChild } from "../lib/child.ts";
import type { LoadOptions, LoadResult } from "./load/options.ts";

/** What a load run may take beyond its own seconds, in ms; it ends itself a little earlier. */
const SPARE_MS = 25_000;

export type LoadRequest = Pick<LoadOptions, "port"> & Partial<LoadOptions>;

/** Runs `load.ts` to its end, for its result. */
export async function runLoad(mode: string, request: LoadRequest, signal: AbortSignal): Promise<LoadResult> {
  const { child, result } = await startLoad(mode, request, signal);
  try {
    const loadResult = await result;
    await child.exited;
    return loadResult;
  } finally {
    await child.stop();
  }
}

/** Opens and holds idle links; `release` closes them. */
export async function holdLinks(
  request: LoadRequest,
  signal: AbortSignal,
): Promise<{ release(): Promise<void> }> {
  const { child, result } = await startLoad("idle", request, signal);
  const release = async () => {
    child.process.stdin?.end();
    await child.stop();
  };
  try {
    await result;
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function startLoad(mode: string, request: LoadRequest, signal: AbortSignal) {
  const { seconds = 3, warmup = 2 } = request;
  const limit = AbortSignal.any([signal, AbortSignal.timeout((seconds + warmup) * 1000 + SPARE_MS)]);
  const child: Child = await startChild({
    name: `load ${mode}`,
    command: process.execPath,
    args: [join(import.meta.dirname, "load.ts"), "--mode", mode, ...flags(request)],
  });
  const result = child
    .line((line) => line.startsWith("{"), limit)
    .then((line) => JSON.parse(line) as LoadResult);
  return { child, result };
}

function flags(request: LoadRequest): string[] {
  return Object.entries(request).flatMap(([name, value]) => [
    `--${name === "inFlight" ? "in-flight" : name}`,
    String(value),
  ]);
}
