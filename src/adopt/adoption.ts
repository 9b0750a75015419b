import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ClawkitError } from "../core/errors.ts";
import { isUndoable, type Ledger, type LedgerEntry } from "../diagnosis/remedies/ledger.ts";
import { replaceUnchanged } from "../diagnosis/remedies/shared.ts";
import { type OpenclawGateway, readOpenclawGateway } from "../host/openclaw-gateway.ts";
import type { HandOver } from "../supervisor/detach.ts";
import { type FileChange, withoutTrust } from "./changes.ts";

/** How the ledger calls it. One that is `begun` was interrupted: it is taken back before anything else. */
const ADOPT = "adopt";
const TRUST = "adopt-trust";

/** Processes hang on it, too. */
const UNDO = "clawkit adopt --undo";

/** What an adoption wrote down for whoever undoes it. */
export interface Adopted {
  readonly entries: readonly LedgerEntry[];
  /** False for one that was interrupted. */
  readonly isInForce: boolean;
  /** How OpenClaw's gateway is started without ClawKit. */
  readonly command: readonly string[];
  readonly port: number;
  /** Whether one ran, and was stopped. */
  readonly wasRunning: boolean;
}

export interface Adoption {
  readonly own: FileChange;
  /** The copy of our config that a start keeps. */
  readonly lastValidConfig: string;
  readonly trust: FileChange | undefined;
  readonly command: readonly string[];
  readonly port: number;
  /** Ends the gateway that runs; undefined if none does. */
  readonly stop: HandOver | undefined;
  /** Starts ClawKit in its place; has it end as late as can be, with what it is given. */
  readonly start: (handOver: HandOver) => Promise<void>;
}

/**
 * Puts ClawKit in the place of OpenClaw's own gateway. What is needed to go back is on disk before anything is touched;
 * whoever is told of a failure takes back what was done until then.
 */
export async function carryOut(ledger: Ledger, adoption: Adoption): Promise<void> {
  const { own, lastValidConfig, command, port, stop, start } = adoption;
  const handOver: HandOver = async (signal) => {
    await stop?.(signal);
    // not before it is gone: a running one would send its clients away for a change of its config
    await changeTrust(ledger, adoption);
  };
  await ledger.carryOut(ADOPT, {
    what: `put OpenClaw behind ClawKit (${own.path})`,
    risk: "disruptive",
    // the copy goes with its original: without both the doctor sees a machine that has no ClawKit
    files: [own.path, lastValidConfig],
    remember: {
      command: JSON.stringify(command),
      port: String(port),
      wasRunning: String(stop !== undefined),
    },
    undoneBy: UNDO,
    apply: async () => {
      await replaceUnchanged(own.path, own.before ?? "", own.after);
      await start(handOver);
    },
  });
}

async function changeTrust(ledger: Ledger, { trust }: Adoption): Promise<void> {
  if (trust === undefined) return;
  await ledger.carryOut(TRUST, {
    what: `have OpenClaw trust the edge (${trust.path})`,
    risk: "disruptive",
    files: [trust.path],
    remember: { written: hashOf(trust.after) },
    undoneBy: UNDO,
    apply: () => replaceUnchanged(trust.path, trust.before ?? "", trust.after),
  });
}

/** The adoption that is in force, or was interrupted. */
export async function findAdopted(ledger: Ledger): Promise<Adopted | undefined> {
  const entries = (await ledger.entries()).filter(
    (entry) => [ADOPT, TRUST].includes(entry.repair) && isUndoable(entry),
  );
  if (entries.length === 0) return undefined;
  const {
    command = "[]",
    port = "0",
    wasRunning,
  } = entries.find(({ repair }) => repair === ADOPT)?.remember ?? {};
  return {
    entries,
    isInForce: entries.some(({ repair, state }) => repair === ADOPT && state === "done"),
    command: JSON.parse(command) as string[],
    port: Number(port),
    wasRunning: wasRunning === "true",
  };
}

/** Puts the files back, the last one first. What was edited since is not lost: the ledger keeps it. */
export async function takeBack(ledger: Ledger, { entries }: Adopted): Promise<string[]> {
  const done: string[] = [];
  for (const entry of entries) {
    const edited = entry.repair === TRUST ? await editedSince(entry) : undefined;
    if (edited !== undefined) {
      await withdrawTrust(ledger, entry, edited);
      done.push(`edited since, so only gateway.trustedProxies was taken back: ${edited.path}`);
      continue;
    }
    const isEdited = entry.repair === ADOPT && (await isOwnEdited(entry));
    await ledger.undo(entry.id, { by: UNDO, isForced: true });
    done.push(`as it was: ${pathOf(entry)}`);
    const [kept] = await ledger.entries();
    if (isEdited) done.push(`what was edited there since comes back with: clawkit doctor undo ${kept?.id}`);
  }
  return done;
}

/** Throws if there is an edit that cannot be kept: before anything is stopped. */
export async function refuseUnreadable({ entries }: Adopted): Promise<void> {
  for (const entry of entries) {
    const edited = entry.repair === TRUST ? await editedSince(entry) : undefined;
    if (edited !== undefined) readEdited(edited);
  }
}

function pathOf({ undo }: LedgerEntry): string {
  const [step] = undo;
  if (step?.kind !== "restore") return "";
  return step.copy === null ? `${step.path} (there was none)` : step.path;
}

/** OpenClaw's config, if it is neither what it was before nor what was written. */
async function editedSince(entry: LedgerEntry): Promise<{ path: string; text: string } | undefined> {
  const [step] = entry.undo;
  if (step?.kind !== "restore" || step.copy === null) return undefined;
  const text = await readFile(step.path, "utf8").catch(() => undefined);
  if (text === undefined || hashOf(text) === entry.remember?.written) return undefined;
  if (text === (await readFile(step.copy, "utf8"))) return undefined;
  return { path: step.path, text };
}

/** Whether somebody changed ClawKit's own config after it was adopted. */
async function isOwnEdited({ undo: [step] }: LedgerEntry): Promise<boolean> {
  if (step?.kind !== "restore" || typeof step.written !== "string") return false;
  const text = await readFile(step.path, "utf8").catch(() => undefined);
  return text !== undefined && hashOf(text) !== step.written;
}

async function withdrawTrust(
  ledger: Ledger,
  entry: LedgerEntry,
  { path, text }: { path: string; text: string },
): Promise<void> {
  const gateway = readEdited({ path, text });
  await ledger.retire(entry, {
    what: `undo: ${entry.what}`,
    risk: "safe",
    files: [path],
    apply: () => replaceUnchanged(path, text, withoutTrust(text, gateway)),
  });
}

function readEdited(source: { path: string; text: string }): OpenclawGateway {
  try {
    return readOpenclawGateway(source);
  } catch (cause) {
    throw new ClawkitError(
      "CONFIG_UNPARSABLE",
      `Cannot take 127.0.0.1 out of gateway.trustedProxies as ${source.path} was edited since and cannot be read: mend it, and try again`,
      { cause },
    );
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
