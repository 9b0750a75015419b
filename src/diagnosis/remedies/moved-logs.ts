import { rm, stat } from "node:fs/promises";
import type { Machine } from "../machine.ts";
import { Ledger } from "./ledger.ts";
import { moveLargeLog } from "./system.ts";
import type { Repair } from "./types.ts";

const GB = 1024 ** 3;

/**
 * Logs that earlier repairs moved aside, where the disk has no room left: nothing else of anybody's, and only when a
 * person says yes to it, as it cannot be taken back.
 */
export const pruneMovedLogs: Repair = {
  id: "prune-moved-logs",
  helpsWith: ["disk-full"],
  async plan({ machine }) {
    const copies = await movedLogs(machine);
    if (copies.length === 0) return undefined;
    const total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      what: `delete logs that were moved aside (${(total / GB).toFixed(1)} GB); this cannot be undone`,
      risk: "destructive",
      diff: copies.map(({ path }) => `- ${path}`),
      isRecordedAfter: true, // on a full disk nothing can be written down before
      apply: async () => {
        for (const { path } of copies) await rm(path, { force: true });
      },
    };
  },
};

async function movedLogs({ paths, clock }: Machine): Promise<{ path: string; bytes: number }[]> {
  const ledger = new Ledger(paths.stateDir, () => clock.wall());
  const moves = (await ledger.entries()).filter(
    ({ repair, state }) => repair === moveLargeLog.id && state === "done",
  );
  const found = await Promise.all(
    moves
      .flatMap(({ undo }) => undo)
      .map(async (step) => {
        const facts = step.kind === "move" ? await stat(step.from).catch(() => undefined) : undefined;
        return step.kind === "move" && facts !== undefined ? [{ path: step.from, bytes: facts.size }] : [];
      }),
  );
  return found.flat();
}
