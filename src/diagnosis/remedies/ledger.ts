import { randomBytes } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClawkitError, systemErrorCode } from "../../core/errors.ts";
import { runCommand } from "../../host/command.ts";
import { DockerEngine } from "../../host/docker.ts";
import { ensurePrivateDir, PRIVATE_FILE, replaceFile, writeFileAtomic } from "../../host/files.ts";
import { outdated } from "./ledger-bounds.ts";
import { changedOnly, refuseEdited, withWayBack, withWritten } from "./ledger-files.ts";
import { refuseOutOfOrder } from "./ledger-order.ts";
import { recreate } from "./recreate.ts";
import type { Plan, UndoStep } from "./types.ts";

/** What is written down of a repair before it is made, and again after it. */
export interface LedgerEntry {
  readonly id: string;
  /** The repair's, or `undo`. */
  readonly repair: string;
  readonly what: string;
  readonly at: string;
  /** `begun` is all there is of one that was interrupted: its files are as they were, or as they should be. */
  readonly state: "begun" | "done" | "failed" | "undone";
  /** What it was to help with: an answer to the playbook's question counts for it. */
  readonly cause?: string;
  /** Whether what it was to help with was gone when it was looked at again; absent until then. */
  readonly helped?: boolean;
  /** Of the plan. */
  readonly remember?: Readonly<Record<string, string>>;
  readonly undoneBy?: string;
  /** In the order in which they are taken. */
  readonly undo: readonly UndoStep[];
}

/** Whether there is something of it to take back: a repair that stands, or failed and left a file changed. */
export function isUndoable({ repair, state, undo }: LedgerEntry): boolean {
  const stands = (state === "done" || state === "begun") && undo.length > 0;
  const left = state === "failed" && undo.some(({ kind }) => kind === "restore");
  return repair !== "undo" && (stands || left);
}

/** A draft that is older is nobody's any more. */
const DRAFT_MS = 60_000;

/** What a command of an undo may take. */
const COMMAND_MS = 60_000;

const ENTRY = "repair.json";

/**
 * Every repair, with what is needed to take it back: a folder each, with copies of the files as they were. A
 * folder appears whole (it is renamed into place), so that a kill at any moment leaves no half of one.
 */
export class Ledger {
  readonly #folder: string;
  readonly #wall: () => number;

  constructor(stateDir: string, wall: () => number) {
    this.#folder = join(stateDir, "repairs");
    this.#wall = wall;
  }

  /** Newest first. */
  async entries(): Promise<LedgerEntry[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names
      .filter((name) => /^r-[0-9a-z]+-[0-9a-f]+$/.test(name))
      .sort()
      .reverse();
    const texts = await Promise.all(
      ids.map((id) => readFile(join(this.#folder, id, ENTRY), "utf8").catch(() => undefined)),
    );
    return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as LedgerEntry);
  }

  /** Makes a repair: copies what it changes, writes it down, applies it. */
  async carryOut(repair: string, plan: Plan, cause?: string): Promise<LedgerEntry> {
    if (plan.isRecordedAfter) await plan.apply();
    const entry = await this.#begin(repair, plan, cause);
    try {
      if (!plan.isRecordedAfter) await plan.apply();
    } catch (error) {
      const failed = await this.#mark(await changedOnly(entry), "failed");
      // what has an undo of its own says so itself
      throw isUndoable(failed) && plan.undoneBy === undefined ? withWayBack(error, failed) : error;
    }
    return await this.#mark(await withWritten(entry), "done");
  }

  /** Adds what was seen when it was looked at again. */
  async judge(id: string, helped: boolean): Promise<void> {
    const entry = (await this.entries()).find((one) => one.id === id);
    if (entry !== undefined) await this.#write({ ...entry, helped });
  }

  /**
   * Takes a repair back, the last one without an id. What is there now is kept, as a repair of its own. One that is
   * `undoneBy` a command needs its name in `by`; a file that was edited since is only replaced with `isForced`.
   */
  async undo(
    id: string | undefined,
    { by, isForced = false }: { by?: string; isForced?: boolean } = {},
  ): Promise<LedgerEntry> {
    const entries = await this.entries();
    const entry =
      id === undefined
        ? entries.find((one) => isUndoable(one) && one.undoneBy === undefined)
        : entries.find((one) => one.id === id);
    if (entry === undefined) {
      const known = id === undefined ? "there is none" : `there is none with the id ${id}`;
      throw new ClawkitError(
        "NOTHING_RECORDED",
        `Cannot undo a repair as ${known}: see clawkit doctor undo --list`,
      );
    }
    if (entry.state === "undone") {
      throw new ClawkitError("USAGE", `Cannot undo ${entry.id} as it was undone before`);
    }
    if (entry.undoneBy !== undefined && by !== entry.undoneBy) {
      throw new ClawkitError("USAGE", `Cannot undo ${entry.id} alone as more hangs on it: ${entry.undoneBy}`);
    }
    if (entry.undo.length === 0) {
      throw new ClawkitError(
        "USAGE",
        `Cannot undo ${entry.id} as it changed no file: it was to ${entry.what}`,
      );
    }
    // whoever takes back all of it knows what was built on it
    if (by === undefined) refuseOutOfOrder(entry, entries);
    if (!isForced) await refuseEdited(entry);
    const files = entry.undo.flatMap((step) => (step.kind === "restore" ? [step.path] : []));
    const apply = async () => {
      // of one that was interrupted only files may have changed; a command may never have run
      const steps = entry.state === "done" ? entry.undo : entry.undo.filter(({ kind }) => kind !== "run");
      for (const step of steps) await takeBack(step, entry.state);
    };
    return await this.retire(entry, { what: `undo: ${entry.what}`, risk: "safe", files, apply });
  }

  /** Takes a repair back in a way of the caller's own. */
  async retire(entry: LedgerEntry, plan: Plan): Promise<LedgerEntry> {
    await this.carryOut("undo", plan);
    return await this.#mark(entry, "undone");
  }

  async #begin(repair: string, plan: Plan, cause: string | undefined): Promise<LedgerEntry> {
    await ensurePrivateDir(this.#folder);
    await this.#dropDrafts();
    const entries = await this.entries();
    for (const { id } of outdated(entries, this.#wall()))
      await rm(join(this.#folder, id), { recursive: true, force: true });
    // ids sort by time, also those of one millisecond
    const newest = Number.parseInt(entries[0]?.id.split("-")[1] ?? "0", 36);
    const stamp = Math.max(this.#wall(), newest + 1);
    const id = `r-${stamp.toString(36)}-${randomBytes(3).toString("hex")}`;
    const folder = join(this.#folder, id);
    const draft = `${folder}.tmp`;
    await mkdir(draft, { mode: 0o700 });
    const restores: UndoStep[] = [];
    for (const [index, named] of (plan.files ?? []).entries()) {
      const path = await realpath(named).catch(() => named); // a link stays a link
      const copy = `${index}.copy`;
      const mode = await keep(path, join(draft, copy));
      restores.push({
        kind: "restore",
        path,
        copy: mode === undefined ? null : join(folder, copy),
        mode: mode ?? PRIVATE_FILE,
      });
    }
    const at = new Date(this.#wall()).toISOString();
    const undo = [...restores, ...(plan.undo ?? [])];
    const entry: LedgerEntry = {
      id,
      repair,
      what: plan.what,
      at,
      state: "begun",
      undo,
      ...(cause === undefined ? {} : { cause }),
      ...(plan.remember === undefined ? {} : { remember: plan.remember }),
      ...(plan.undoneBy === undefined ? {} : { undoneBy: plan.undoneBy }),
    };
    await writeFileAtomic(join(draft, ENTRY), `${JSON.stringify(entry, null, 2)}\n`);
    await rename(draft, folder);
    return entry;
  }

  /** What a killed command left: copies of configs, which hold tokens. */
  async #dropDrafts(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const isOld = name.endsWith(".tmp") && this.#wall() - (await stat(path)).mtimeMs > DRAFT_MS;
      if (isOld) await rm(path, { recursive: true, force: true });
    }
  }

  async #mark(entry: LedgerEntry, state: LedgerEntry["state"]): Promise<LedgerEntry> {
    return await this.#write({ ...entry, state });
  }

  async #write(entry: LedgerEntry): Promise<LedgerEntry> {
    await writeFileAtomic(join(this.#folder, entry.id, ENTRY), `${JSON.stringify(entry, null, 2)}\n`);
    return entry;
  }
}

/** Copies a file; returns its mode, or undefined if there is none. */
async function keep(path: string, copy: string): Promise<number | undefined> {
  try {
    const { mode } = await stat(path);
    await copyFile(path, copy);
    await chmod(copy, PRIVATE_FILE);
    return mode & 0o7777;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function takeBack(step: UndoStep, state: LedgerEntry["state"]): Promise<void> {
  switch (step.kind) {
    case "restore": {
      if (step.copy === null) return await rm(step.path, { force: true });
      return await replaceFile(step.path, await readFile(step.copy), step.mode);
    }
    case "move":
      return await moveBack(step, state);
    case "mode":
      return await chmod(step.path, step.mode);
    case "run": {
      const [file, ...args] = step.command;
      return void (await runCommand(file!, args, { timeLimitMs: COMMAND_MS, mustSucceed: true }));
    }
    case "recreate":
      return await recreate(step);
    case "restart-policy":
      return await new DockerEngine(step.endpoint).setRestartPolicy(step.container, step.policy);
  }
}

/** A move that was never made is no move; what stands in its place now is alive, and stays. */
async function moveBack(
  { from, to }: { readonly from: string; readonly to: string },
  state: LedgerEntry["state"],
): Promise<void> {
  const isThere = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined;
  if (!(await isThere(from))) {
    if (state !== "done") return;
    throw new ClawkitError("USAGE", `Cannot undo as ${from} is gone: it was moved or deleted since`);
  }
  if (await isThere(to)) {
    throw new ClawkitError(
      "USAGE",
      `Cannot undo as ${to} was made since: move it away, or leave ${from} where it is`,
    );
  }
  await rename(from, to);
}
