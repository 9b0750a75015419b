// Loaded into the edge with NODE_OPTIONS=--import: writes down how long its event loop stood still.
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const EVERY_MS = 100;
const RESOLUTION_MS = 1;

const path = process.env.LOOP_DELAYS;
if (path !== undefined && isMainThread && /\bedge\.ts$/.test(process.argv[1] ?? "")) {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  setInterval(() => {
    if (loop.count === 0) return;
    // what a timer of the resolution takes at least is no delay
    const ms = Math.max(0, loop.max / 1e6 - RESOLUTION_MS);
    appendFileSync(path, `${Date.now()} ${ms.toFixed(2)}\n`);
    loop.reset();
  }, EVERY_MS).unref();
}
