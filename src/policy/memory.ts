/** Memory of a process and its limits at one moment; what is not known is absent. */
export interface MemoryLook {
  readonly heap?: { readonly usedBytes: number; readonly limitBytes: number } | undefined;
  readonly cgroup?: { readonly usageBytes?: number; readonly limitBytes?: number } | undefined;
}

/** From this share of a limit on, the next burst of work may be the last. */
const FULL_SHARE = 0.9;

/** Looks in a row that must be full: garbage is collected late, and a peak that passes is no leak. */
const LOOKS_IN_ROW = 3;

/** A gateway that has loaded its code has 76 MB of its own; as much again is for the links that it takes over. */
const ROOM_BYTES = 160 * 1024 * 1024;

/** A module that has loaded nothing of its own takes about 40 MB (docs/decisions/0005). */
const MODULE_ROOM_BYTES = 50 * 1024 * 1024;

/** Whether one more gateway with its modules finds room in a cgroup: without it the kernel would end the largest process, or all. */
export function hasRoom(cgroup: MemoryLook["cgroup"], modules: number): boolean {
  const { usageBytes, limitBytes } = cgroup ?? {};
  if (usageBytes === undefined || limitBytes === undefined) return true;
  return limitBytes - usageBytes >= ROOM_BYTES + modules * MODULE_ROOM_BYTES;
}

/** Why a process should be restarted before it runs out of memory; undefined if it need not be. */
export function memoryTrouble(looks: readonly MemoryLook[]): string | undefined {
  const last = looks.slice(-LOOKS_IN_ROW);
  if (last.length < LOOKS_IN_ROW) return undefined;
  return (
    troubleOf(
      "V8 heap",
      last.map(({ heap }) => share(heap?.usedBytes, heap?.limitBytes)),
    ) ??
    troubleOf(
      "cgroup memory",
      last.map(({ cgroup }) => share(cgroup?.usageBytes, cgroup?.limitBytes)),
    )
  );
}

function troubleOf(what: string, shares: readonly (number | undefined)[]): string | undefined {
  if (!shares.every((one) => one !== undefined && one >= FULL_SHARE)) return undefined;
  return `${what} at ${Math.round(shares.at(-1)! * 100)} % of its limit (supervisor.memoryRestart)`;
}

function share(used: number | undefined, limit: number | undefined): number | undefined {
  return used === undefined || limit === undefined || limit === 0 ? undefined : used / limit;
}
