import { readFileSync } from "node:fs";

/** How many files one process may open (`ulimit -n`): Node raises its soft limit to the hard one at start. */
export function openFilesLimit(): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return match?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(match?.[1] ?? 1024);
}
