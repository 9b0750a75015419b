import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ClawkitError, messageOf, systemErrorCode } from "../../core/errors.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { UndoStep } from "./types.ts";

type Restore = Extract<UndoStep, { kind: "restore" }>;

/** The entry with what its repair has written into its files: by that an edit is known that was made since. */
export async function withWritten(entry: LedgerEntry): Promise<LedgerEntry> {
  const undo = await Promise.all(
    entry.undo.map(async (step) =>
      step.kind === "restore" ? { ...step, written: await digestOf(step.path) } : step,
    ),
  );
  return { ...entry, undo };
}

/** The entry of a repair that failed: what is as it was need not be put back. */
export async function changedOnly(entry: LedgerEntry): Promise<LedgerEntry> {
  const written = await withWritten(entry);
  const isChanged = await Promise.all(
    written.undo.map(async (step) => step.kind !== "restore" || step.written !== (await oldDigestOf(step))),
  );
  return { ...written, undo: written.undo.filter((_, index) => isChanged[index]) };
}

/** The error of a repair that failed half-way, and how to take back the half. */
export function withWayBack(error: unknown, { id }: LedgerEntry): ClawkitError {
  const code = error instanceof ClawkitError ? error.code : "CONTROL_FAILED";
  const way = `what it changed is taken back by: clawkit doctor undo ${id}`;
  return new ClawkitError(code, `${messageOf(error)}; ${way}`, { cause: error });
}

/** Throws if a file is neither what the repair wrote nor what was there before it. */
export async function refuseEdited({ id, undo }: LedgerEntry): Promise<void> {
  for (const step of undo) {
    if (step.kind !== "restore" || step.written === undefined) continue;
    const now = await digestOf(step.path);
    if (now === step.written || now === (await oldDigestOf(step))) continue;
    throw new ClawkitError(
      "USAGE",
      `Cannot undo ${id} as ${step.path} was edited since, by hand or by a later repair: --yes puts back what was there before it, and keeps what is there now as a repair of its own`,
    );
  }
}

async function oldDigestOf({ copy }: Restore): Promise<string | null> {
  return copy === null ? null : await digestOf(copy);
}

/** Null if there is no such file. */
async function digestOf(path: string): Promise<string | null> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}
