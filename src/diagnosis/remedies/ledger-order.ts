import { ClawkitError } from "../../core/errors.ts";
import type { LedgerEntry } from "./ledger.ts";

/**
 * Refuses to take back a repair of a file that a later one changed, too: what was there before both would come back,
 * and the later one be gone without a word. `entries`: the newest first.
 */
export function refuseOutOfOrder(entry: LedgerEntry, entries: readonly LedgerEntry[]): void {
  if (entry.repair === "undo") return; // what it brings back is what it found
  const paths = filesOf(entry);
  const later = entries.slice(
    0,
    entries.findIndex(({ id }) => id === entry.id),
  );
  for (const one of later) {
    const stands = one.repair !== "undo" && (one.state === "done" || one.state === "begun");
    const path = stands ? filesOf(one).find((file) => paths.includes(file)) : undefined;
    if (path === undefined) continue;
    throw new ClawkitError(
      "USAGE",
      `Cannot undo ${entry.id} as ${one.id} changed ${path} after it (${one.what}): undo that first, with clawkit doctor undo ${one.id}`,
    );
  }
}

function filesOf({ undo }: LedgerEntry): string[] {
  return undo.flatMap((step) => (step.kind === "restore" ? [step.path] : []));
}
