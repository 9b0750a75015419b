import type { LedgerEntry } from "./ledger.ts";

/** Copies of configs hold tokens: they are not kept for ever. */
const MAX_REPAIRS = 100;
const DAY_MS = 24 * 3_600_000;
const MAX_MS = 90 * DAY_MS;

/** As long as this, whoever made a repair may still want it back, however many came after it. */
const UNDO_MS = 30 * DAY_MS;

type Entry = LedgerEntry & { readonly undoneBy?: string };

/** The repairs that need not be kept any longer. `entries`: the newest first. */
export function outdated(entries: readonly Entry[], now: number): Entry[] {
  return entries.filter((entry, index) => {
    const ageMs = now - Date.parse(entry.at);
    const stands = (entry.state === "done" || entry.state === "begun") && entry.undo.length > 0;
    // one that a command of its own takes back, as `adopt --undo`, is not forgotten while it stands
    if (stands && (ageMs <= UNDO_MS || entry.undoneBy !== undefined)) return false;
    return index >= MAX_REPAIRS || ageMs > MAX_MS;
  });
}
