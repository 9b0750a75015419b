// Loaded into the edge with NODE_OPTIONS=--import: writes down how long its event loop stood still.
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const EVERY_MS = 100;
const RESOLUTION_MS = 1;

const path = process.env.LOOP_DELAYS;
if (path !== undefined && isMainThread && /\bedge\.ts$/.test(process.argv[1] ?? "")) {
  let before = look();
  let written = before.wall;
  let wall = 0;
  let cpu = 0;
  setInterval(() => {
    const now = look();
    wall = Math.max(wall, now.wall - before.wall - RESOLUTION_MS);
    cpu = Math.max(cpu, now.cpu - before.cpu);
    before = now;
    if (now.wall - written < EVERY_MS) return;
    appendFileSync(path, `${Date.now()} ${wall.toFixed(2)} ${cpu.toFixed(2)}\n`);
    written = now.wall;
    wall = 0;
    cpu = 0;
  }, RESOLUTION_MS).unref();
}

/** In ms; `cpu` is of this thread: on a busy machine a turn that did little may take long. */
function look(): { wall: number; cpu: number } {
  const { user, system } = process.threadCpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}
