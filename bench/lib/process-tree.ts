import { readdirSync, readFileSync } from "node:fs";

/** The pids of a process and of everything it started, itself first; empty once it is gone. Linux only. */
export function processTree(pid: number): number[] {
  const pids: number[] = [];
  const visit = (each: number) => {
    const children = childrenOf(each);
    if (!children) return;
    pids.push(each);
    children.forEach(visit);
  };
  visit(pid);
  return pids;
}

function childrenOf(pid: number): number[] | undefined {
  try {
    // each thread lists the children it forked
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return undefined;
  }
}
