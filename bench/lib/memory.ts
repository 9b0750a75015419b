import { readFileSync } from "node:fs";

export interface Memory {
  /** Resident set, in bytes; pages shared by two of the processes count twice. */
  readonly rss: number;
  /** Proportional set, in bytes; shared pages are split among those who share them. */
  readonly pss: number;
}

/** What these processes hold in memory now. */
export function memoryOf(pids: readonly number[]): Memory {
  let rss = 0;
  let pss = 0;
  for (const pid of pids) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    rss += kilobytes(rollup, "Rss") * 1024;
    pss += kilobytes(rollup, "Pss") * 1024;
  }
  return { rss, pss };
}

function kilobytes(rollup: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup);
  if (!match) throw new Error(`Cannot read memory as smaps_rollup has no ${field} line`);
  return Number(match[1]);
}
