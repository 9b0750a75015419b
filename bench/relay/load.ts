// The load generator: one process, one mode, one JSON line. `run.ts` starts it; by hand:
//   node bench/relay/load.ts --mode throughput --port 8080 --connections 64 --in-flight 8 --payload 256
import { parseArgs } from "node:util";
import { fixedRate } from "./load/fixed-rate.ts";
import { idle } from "./load/idle.ts";
import type { LoadOptions, LoadResult } from "./load/options.ts";
import { roundtrip } from "./load/roundtrip.ts";
import { throughput } from "./load/throughput.ts";

/** What a run may take beyond its own warm-up and seconds (connecting, draining), in ms. */
const SPARE_MS = 20_000;
/** How long idle links are held when nobody says stop, in ms. */
const IDLE_MS = 120_000;

type Mode = (options: LoadOptions, print: (result: LoadResult) => void) => Promise<LoadResult | undefined>;
const modes: Record<string, Mode> = { throughput, "fixed-rate": fixedRate, roundtrip, idle };

const { values } = parseArgs({
  options: {
    mode: { type: "string", default: "throughput" },
    port: { type: "string" },
    connections: { type: "string", default: "64" },
    "in-flight": { type: "string", default: "8" },
    payload: { type: "string", default: "256" },
    seconds: { type: "string", default: "3" },
    warmup: { type: "string", default: "2" },
    rate: { type: "string", default: "10000" },
  },
});

const run = modes[values.mode];
if (!run) throw new Error(`Cannot generate load as mode is one of ${Object.keys(modes)}: ${values.mode}`);
const options: LoadOptions = {
  port: Number(values.port),
  connections: Number(values.connections),
  inFlight: Number(values["in-flight"]),
  payload: Number(values.payload),
  seconds: Number(values.seconds),
  warmup: Number(values.warmup),
  rate: Number(values.rate),
};

const limit = SPARE_MS + (values.mode === "idle" ? IDLE_MS : (options.seconds + options.warmup) * 1000);
setTimeout(() => fail(new Error(`Load ${values.mode} is not done after ${limit} ms`)), limit).unref();
run(options, print).then((result) => {
  if (result) print(result);
  process.exit(0);
}, fail);

function print(result: LoadResult): void {
  console.log(JSON.stringify({ mode: values.mode, ...result }));
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
