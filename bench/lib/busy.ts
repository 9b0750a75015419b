import { readFileSync } from "node:fs";
import { TICKS_PER_SECOND } from "./cpu.ts";

/** CPU seconds that the whole machine has spent on anything, or that its host took away (steal), so far. */
export function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8")
    .slice(0, 200)
    .split(/\s+/)
    .map(Number);
  const parts = [user, nice, system, irq, softirq, steal];
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) / TICKS_PER_SECOND;
}
