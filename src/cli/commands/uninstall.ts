import { access, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { findAdopted } from "../../adopt/adoption.ts";
import { defaultConfig } from "../../config/parse.ts";
import { OWN_NAMES } from "../../config/paths.ts";
import { ClawkitError, systemErrorCode } from "../../core/errors.ts";
import { isUndoable, Ledger, type LedgerEntry } from "../../diagnosis/remedies/ledger.ts";
import type { UndoStep } from "../../diagnosis/remedies/types.ts";
import { backupPath } from "../../services/definition.ts";
import { commandLine } from "../../services/drive.ts";
import type { ServiceManager } from "../../services/types.ts";
import { type ConsentOptions, isAllowed } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { driveService, installedService, isKept, serviceFacts, serviceSettings } from "../service.ts";
import { removeAlias } from "./alias.ts";
import { stopEverything } from "./gateway.ts";

export interface UninstallOptions extends ConsentOptions {
  readonly dryRun?: boolean;
  readonly state?: boolean;
}

/** Takes back what `gateway install` did; what it had started is stopped, its clients told. */
export async function gatewayUninstall(context: CliContext, options: UninstallOptions): Promise<number> {
  const { out } = context;
  const manager = await installedService(context);
  if (options.dryRun) return showRemoval(context, options, manager);
  if (manager !== undefined) await mayStop(context, options, manager);
  const removed = manager === undefined ? [] : await removeService(context, manager);
  if (options.json) out.json({ removed, service: manager?.service ?? null });
  else if (manager === undefined) out.line("No service is installed");
  else {
    for (const path of removed) out.line(`Removed ${path}`);
    out.line(
      `${manager.service} (${manager.name}) is gone; the gateway is stopped. By hand: clawkit gateway start`,
    );
  }
  return 0;
}

async function mayStop(context: CliContext, options: UninstallOptions, { service }: ServiceManager) {
  if ((await context.supervisorPid()) === undefined) return;
  const what = `stop the gateway that runs now, and remove ${service}`;
  if (await isAllowed(context, options, `May I ${what}? Its clients find nobody.`)) return;
  throw new ClawkitError("USAGE", `Nothing was done. With --yes this would: ${what}`);
}

/** Removes what ClawKit has outside its package: service, alias, profile line, and the state if that is wanted. */
export async function uninstall(context: CliContext, options: UninstallOptions): Promise<number> {
  const { out, paths } = context;
  await refuseAdopted(context);
  if (options.state) await refuseForeignState(context);
  const manager = await installedService(context);
  const isRunning = (await context.supervisorPid()) !== undefined;
  const what = [
    ...(isRunning ? ["stop the gateway"] : []),
    ...(manager === undefined ? [] : [`remove the service ${manager.service}`]),
    "remove the openclaw alias",
    ...(options.state ? [`delete what ClawKit wrote in ${paths.stateDir}: config, token and records`] : []),
  ];
  if (!(await isAllowed(context, options, `May I ${what.join(", ")}?`))) {
    throw new ClawkitError("USAGE", `Nothing was done. With --yes this would: ${what.join(", ")}`);
  }
  const removed = manager === undefined ? [] : await removeService(context, manager);
  await stopEverything(context);
  const { profile } = await removeAlias(context);
  const undoable = await repairsOfOthers(context);
  if (options.state) removed.push(...(await removeState(paths.stateDir, undoable.length > 0)));
  const left = await leftIn(paths.stateDir);
  if (options.json) {
    out.json({ removed, profile: profile ?? null, left });
    return 0;
  }
  for (const path of removed) out.line(`Removed ${path}`);
  if (profile !== undefined) out.line(`Removed our line from ${profile}`);
  out.line("The alias is off, and nothing of ClawKit runs");
  if (left.length > 0) out.line(`Left: ${paths.stateDir} (${left.join(", ")})${whyLeft(options, undoable)}`);
  out.line("Left: the package itself; remove it with: npm uninstall -g clawkit");
  return 0;
}

/** OpenClaw would be left stopped, trusting an edge that is gone, behind an `openclaw` that starts nothing. */
async function refuseAdopted({ paths, clock }: CliContext): Promise<void> {
  const adopted = await findAdopted(new Ledger(paths.stateDir, () => clock.wall()));
  if (adopted === undefined) return;
  throw new ClawkitError(
    "USAGE",
    "Nothing was done: OpenClaw is behind ClawKit. First: clawkit adopt --undo",
  );
}

/** Repairs that changed files of other programs: what undoes them is the only copy of those. */
async function repairsOfOthers({ paths, clock }: CliContext): Promise<readonly LedgerEntry[]> {
  const entries = await new Ledger(paths.stateDir, () => clock.wall()).entries();
  const isOther = (step: UndoStep) => !("path" in step) || !step.path.startsWith(join(paths.stateDir, "/"));
  return entries.filter((entry) => isUndoable(entry) && entry.undo.some(isOther));
}

/** Deletes by name, and folders only if nothing else is in them. */
async function removeState(stateDir: string, keepsRepairs: boolean): Promise<string[]> {
  for (const [folder, own] of Object.entries(OWN_NAMES)) {
    if (folder === "repairs" && keepsRepairs) continue;
    const path = join(stateDir, folder);
    for (const name of await leftIn(path)) {
      if (own.test(name)) await rm(join(path, name), { recursive: true });
    }
    // the last one is the state directory itself
    if ((await removeIfEmpty(path)) && folder === ".") return [stateDir];
  }
  return [];
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  return await rmdir(folder).then(
    () => true,
    (error: unknown) => {
      if (["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return false;
      throw error;
    },
  );
}

function whyLeft({ state }: UninstallOptions, undoable: readonly LedgerEntry[]): string {
  if (!state) return "; delete what ClawKit wrote of it with: clawkit uninstall --state";
  const others = ": what else is there is not ClawKit's";
  if (undoable.length === 0) return others;
  return `: repairs has what undoes ${undoable.length} of other programs' files, see clawkit doctor undo --list`;
}

async function removeService(context: CliContext, manager: ServiceManager): Promise<string[]> {
  if (isKept(await serviceFacts(context, manager))) await driveService(context, manager, "stop");
  await stopEverything(context);
  await driveService(context, manager, "unload");
  const removed: string[] = [];
  for (const path of await pathsOf(context, manager)) {
    for (const file of [path, backupPath(path)]) {
      await rm(file).then(
        () => removed.push(file),
        (error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOENT") throw error;
        },
      );
    }
  }
  await driveService(context, manager, "forget");
  return removed;
}

/** Where its files are depends on no setting. */
async function pathsOf(context: CliContext, manager: ServiceManager): Promise<string[]> {
  const settings = await serviceSettings(context, defaultConfig());
  return manager.files(settings).map(({ path }) => path);
}

async function showRemoval(
  context: CliContext,
  { json }: UninstallOptions,
  manager: ServiceManager | undefined,
): Promise<number> {
  const paths = manager === undefined ? [] : await pathsOf(context, manager);
  const verbs = ["stop", "unload", "forget"] as const;
  const commands = verbs.flatMap((verb) => manager?.commands(verb) ?? []).map(commandLine);
  const { out } = context;
  if (json) out.json({ service: manager?.service ?? null, files: paths, commands });
  else if (manager === undefined) out.line("No service is installed");
  else {
    for (const line of commands) out.line(`Would run ${line}`);
    for (const path of paths) out.line(`Would remove ${path}`);
  }
  return 0;
}

/** A variable may name any folder: only one with a config or a run log of ours is deleted. */
async function refuseForeignState({ paths }: CliContext): Promise<void> {
  const found = await leftIn(paths.stateDir);
  const own = [paths.config, paths.runLog].map((path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  );
  if (found.length === 0 || (await Promise.all(own)).includes(true)) return;
  throw new ClawkitError(
    "STATE_UNUSABLE",
    `Cannot delete ${paths.stateDir}: it has neither a config nor a run log of ClawKit, so it may be something else`,
  );
}

async function leftIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}
