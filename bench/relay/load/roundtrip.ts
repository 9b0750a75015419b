import type { LoadOptions, LoadResult } from "./options.ts";
import { throughput } from "./throughput.ts";

/** A single client that sends its next message when the echo of the last one is in. */
export function roundtrip(options: LoadOptions): Promise<LoadResult> {
  return throughput({ ...options, connections: 1, inFlight: 1 });
}
