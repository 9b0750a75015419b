import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The probe writes every 100 ms: what happened is written soon after. */
const WRITTEN_MS = 300;

/** What makes a process of ours write down the delays of its event loop. */
export function probeEnvironment(path: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=${join(import.meta.dirname, "loop-probe.ts")}`, LOOP_DELAYS: path };
}

export interface Delay {
  /** The longest time from one look of the loop at its timers to the next, in ms. */
  readonly wall: number;
  /** The most that the loop's thread worked between two such looks, in ms. */
  readonly cpu: number;
}

/** Runs `work`, and returns the longest delays of the probed event loop meanwhile. */
export async function longestDelay(path: string, work: () => Promise<unknown>): Promise<Delay> {
  const from = Date.now();
  await work();
  const to = Date.now() + WRITTEN_MS;
  await sleep(2 * WRITTEN_MS);
  const delays = readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .filter(([at = 0]) => at >= from && at <= to);
  if (delays.length === 0)
    throw new Error(`Cannot tell how the event loop was as ${path} has nothing of then`);
  return {
    wall: Math.max(...delays.map(([, wall = 0]) => wall)),
    cpu: Math.max(...delays.map(([, , cpu = 0]) => cpu)),
  };
}
