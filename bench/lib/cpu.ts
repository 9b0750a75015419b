import { readFileSync } from "node:fs";

/** /proc counts CPU time in USER_HZ, which Linux fixes at 100 on every platform Node runs on (proc(5)). */
export const TICKS_PER_SECOND = 100;

/** CPU seconds (user + system, all threads) these processes have used so far. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
}

function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // the command name, in parentheses, may itself hold spaces: count fields after it
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]); // utime, stime: fields 14 and 15 of proc(5)
}
