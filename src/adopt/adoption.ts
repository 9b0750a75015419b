import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ClawkitError } from "../core/errors.ts";
import type { Ledger, LedgerEntry } from "../diagnosis/remedies/ledger.ts";
import { replaceUnchanged } from "../diagnosis/remedies/shared.ts";
import { readOpenclawGateway } from "../host/openclaw-gateway.ts";
import { type FileChange, withoutTrust } from "./changes.ts";

/** How the ledger calls it. One that is `begun` was interrupted: it is taken back before anything else. */
const ADOPT = "adopt";
const TRUST = "adopt-trust";

/** Processes hang on it, too. */
const UNDO = "clawkit adopt --undo";

/** What an adoption wrote down for whoever undoes it. */
export interface Adopted {
  readonly entries: readonly LedgerEntry[];
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
  readonly stop: (() => Promise<void>) | undefined;
}

/**
 * Ends OpenClaw's own gateway, and changes the files: each is the old one or the new one, whatever happens, and the
 * last decides. What is needed to go back is on disk before.
 */
export async function carryOut(ledger: Ledger, adoption: Adoption): Promise<void> {
  const { own, lastValidConfig, trust, command, port, stop } = adoption;
  // not before it is gone: a running one would send its clients away for a change of its config
  await stop?.();
  if (trust !== undefined) {
    await ledger.carryOut(TRUST, {
      what: `have OpenClaw trust the edge (${trust.path})`,
      risk: "disruptive",
      files: [trust.path],
      remember: { written: hashOf(trust.after) },
      undoneBy: UNDO,
      apply: () => replaceUnchanged(trust.path, trust.before ?? "", trust.after),
    });
  }
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
    apply: () => replaceUnchanged(own.path, own.before ?? "", own.after),
  });
}

/** The adoption that is in force, or was interrupted. */
export async function findAdopted(ledger: Ledger): Promise<Adopted | undefined> {
  const entries = (await ledger.entries()).filter(
    ({ repair, state }) => (repair === ADOPT || repair === TRUST) && (state === "done" || state === "begun"),
  );
  if (entries.length === 0) return undefined;
  const {
    command = "[]",
    port = "0",
    wasRunning,
  } = entries.find(({ repair }) => repair === ADOPT)?.remember ?? {};
  return {
    entries,
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
    if (edited === undefined) {
      // what was edited meanwhile is kept in the ledger
      await ledger.undo(entry.id, { by: UNDO, isForced: true });
      done.push(`as it was: ${pathOf(entry)}`);
    } else {
      await withdrawTrust(ledger, entry, edited);
      done.push(`edited since, so only gateway.trustedProxies was taken back: ${edited.path}`);
    }
  }
  return done;
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

async function withdrawTrust(
  ledger: Ledger,
  entry: LedgerEntry,
  { path, text }: { path: string; text: string },
): Promise<void> {
  let gateway: ReturnType<typeof readOpenclawGateway>;
  try {
    gateway = readOpenclawGateway({ path, text });
  } catch (cause) {
    throw new ClawkitError(
      "CONFIG_UNPARSABLE",
      `Cannot take 127.0.0.1 out of gateway.trustedProxies as ${path} was edited since and cannot be read: mend it, and try again`,
      { cause },
    );
  }
  await ledger.retire(entry, {
    what: `undo: ${entry.what}`,
    risk: "safe",
    files: [path],
    apply: () => replaceUnchanged(path, text, withoutTrust(text, gateway)),
  });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
