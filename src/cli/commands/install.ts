import { rm } from "node:fs/promises";
import { defaultConfig, parseConfig } from "../../config/parse.ts";
import { resolveConfig } from "../../config/resolve.ts";
import type { Config } from "../../config/schema.ts";
import { ClawkitError } from "../../core/errors.ts";
import { lineDiff } from "../../core/line-diff.ts";
import { refuseNewerStore } from "../../recorder/read-store.ts";
import {
  backupPath,
  installedIn,
  readDefinition,
  restoreDefinition,
  writeDefinition,
} from "../../services/definition.ts";
import { commandLine, drive } from "../../services/drive.ts";
import { managerFor, managersOf, type Place } from "../../services/place.ts";
import { rivalOf, switchOffCommand } from "../../services/rivals.ts";
import { type DefinitionFile, isFor, MARK, type ServiceManager } from "../../services/types.ts";
import { ensureConfig, readConfigSource } from "../config-file.ts";
import { type ConsentOptions, isAllowed } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { currentStatus } from "../running.ts";
import { driveService, isKept, placeOf, serviceFacts, serviceSettings } from "../service.ts";
import { refuseShellOnly } from "../service-environment.ts";
import { stopEverything, untilServed } from "./gateway.ts";
import { lingerAdvice } from "./linger.ts";

export interface InstallOptions extends ConsentOptions {
  readonly system?: boolean;
  readonly dryRun?: boolean;
}

/** A file of the definition, and how it differs from what is there; undefined if nothing is. */
interface Change extends DefinitionFile {
  readonly diff: readonly string[] | undefined;
}

/** Has the service manager of this machine keep the gateway running. Does nothing where it is installed and current. */
export async function gatewayInstall(context: CliContext, options: InstallOptions): Promise<number> {
  const { paths, env, out } = context;
  if (env.SUDO_USER !== undefined && !env.CLAWKIT_STATE_DIR) {
    throw new ClawkitError(
      "USAGE",
      'Under sudo it must be said whose gateway is meant: sudo CLAWKIT_STATE_DIR="$HOME/.clawkit" clawkit gateway install --system',
    );
  }
  const place = await placeOf(context);
  const manager = managerFor(place, { system: options.system ?? false });
  if (typeof manager === "string") {
    throw new ClawkitError(
      "SERVICE_UNAVAILABLE",
      `Cannot install a service: ${manager}. Nothing was written`,
    );
  }
  const config = await configOfService(context);
  refuseNewerStore(paths.recorder);
  const changes = await changesOf(manager, manager.files(await serviceSettings(context, config)));
  await refuseConflicts(context, manager, place);
  if (options.dryRun) return show(context, options, manager, changes);

  if (env.SUDO_USER === undefined) await ensureConfig(paths);
  const facts = await serviceFacts(context, manager);
  const isCurrent = changes.every(({ diff }) => diff?.length === 0);
  if (isCurrent && isKept(facts)) return await finish(context, options, manager, "It is installed already");
  await write(context, manager, changes);
  if (!options.json) printChanges(context, changes);
  if (!(await mayStart(context, options, isKept(facts)))) {
    const later = "its clients go on; what was installed takes effect with: clawkit gateway restart --all";
    if (options.json) out.json({ ...summary(manager), started: false });
    else out.line(`The gateway that runs now was left as it is, and ${later}`);
    return 0;
  }
  if (isKept(facts)) await driveService(context, manager, "stop");
  await stopEverything(context); // one that was started by hand, or what a task's end leaves
  await driveService(context, manager, "start");
  await untilServed(context);
  return await finish(context, options, manager, "Installed");
}

/** The config as the service will read it: without this shell's variables. */
async function configOfService(context: CliContext): Promise<Config> {
  const source = await readConfigSource(context.paths);
  const isNew = source.text.trim() === "";
  // before it is checked: a token that is missing may be the one that only this shell has
  refuseShellOnly(context.env, isNew ? defaultConfig() : parseConfig(source));
  return isNew ? defaultConfig() : resolveConfig(source, {});
}

async function changesOf(manager: ServiceManager, files: readonly DefinitionFile[]): Promise<Change[]> {
  const changes = files.map(async (file): Promise<Change> => {
    const before = await readDefinition(file.path);
    if (before !== undefined && !before.includes(MARK)) {
      throw new ClawkitError(
        "SERVICE_UNAVAILABLE",
        `Cannot install ${manager.service}: ${file.path} is there and was not written by clawkit. Move it away first`,
      );
    }
    return { ...file, diff: before === undefined ? undefined : lineDiff(before, file.text) };
  });
  return await Promise.all(changes);
}

/** Two that start a gateway on the same port fight for it for ever. */
async function refuseConflicts(context: CliContext, manager: ServiceManager, place: Place): Promise<void> {
  const { stateDir } = context.paths;
  const fail = (message: string): never => {
    throw new ClawkitError("SERVICE_UNAVAILABLE", `Cannot install ${manager.service}: ${message}`);
  };
  const others = managersOf(place).filter(({ definitionPath }) => definitionPath !== manager.definitionPath);
  const other = await installedIn(others, stateDir);
  if (other !== undefined) {
    fail(`it is installed as ${other.service} of ${other.name} already: clawkit gateway uninstall first`);
  }
  const own = await readDefinition(manager.definitionPath);
  if (own !== undefined && !isFor(own, stateDir)) {
    fail(`${manager.definitionPath} is for another state directory than ${stateDir}: uninstall that first`);
  }
  const services = (await context.host.services().catch(() => undefined)) ?? [];
  const rival = rivalOf(services);
  if (rival !== undefined) {
    const does = rival.isRunning ? "runs a gateway" : `starts a gateway (now ${rival.state})`;
    fail(
      `${rival.name} (${rival.manager}) ${does}. Switch it off first, or remove it: ${switchOffCommand(rival)}`,
    );
  }
  const { state, port, portOwner } = await currentStatus(context);
  if (state !== "foreign") return;
  const { pid, command } = portOwner!;
  const owner = pid === null ? "a process of another user" : `pid ${pid} (${command})`;
  fail(
    `port ${port} is held by ${owner}. End that first, or choose another port: clawkit config set gateway.port`,
  );
}

function show(
  context: CliContext,
  { json }: InstallOptions,
  manager: ServiceManager,
  changes: readonly Change[],
): number {
  const commands = [...manager.commands("load"), ...manager.commands("start")].map(commandLine);
  const files = changes.map(({ path, text, diff }) => ({
    path,
    text,
    ...(diff === undefined ? {} : { diff }),
  }));
  if (json) {
    context.out.json({ ...summary(manager), files, commands });
    return 0;
  }
  const { out } = context;
  for (const { path, text, diff } of changes) {
    out.line(diff === undefined ? `Would write ${path}:` : `Would change ${path}:`);
    for (const line of diff ?? text.trimEnd().split("\n")) out.line(`  ${line}`);
    if (diff?.length === 0) out.line("  (nothing)");
  }
  out.line("Would run:");
  for (const line of commands) out.line(`  ${line}`);
  return 0;
}

/** Writes and loads the definition; one that the manager refuses is taken away again, and the one before put back. */
async function write(
  context: CliContext,
  manager: ServiceManager,
  changes: readonly Change[],
): Promise<void> {
  const changed = changes.filter(({ diff }) => diff?.length !== 0);
  for (const file of changed) await writeDefinition(file);
  try {
    await driveService(context, manager, "load");
  } catch (error) {
    for (const { path, diff } of changed) {
      if (diff === undefined) await rm(path, { force: true });
      else await restoreDefinition(path);
    }
    await drive(manager.commands("forget")).catch(() => undefined); // the first error is the story
    throw error;
  }
}

function printChanges({ out }: CliContext, changes: readonly Change[]): void {
  for (const { path, diff } of changes) {
    if (diff === undefined) out.line(`Wrote ${path}`);
    else if (diff.length > 0) {
      out.line(`Changed ${path} (before: ${backupPath(path)})`);
      for (const line of diff) out.line(`  ${line}`);
    }
  }
}

/** What runs now is stopped, so that the manager has it; its clients are told 1012. */
async function mayStart(context: CliContext, options: InstallOptions, isService: boolean): Promise<boolean> {
  if ((await context.supervisorPid()) === undefined) return true;
  const how = isService ? "restarted with the new definition" : "stopped, and started by the service manager";
  return await isAllowed(context, options, `May the gateway that runs now be ${how}? Its clients reconnect.`);
}

async function finish(context: CliContext, options: InstallOptions, manager: ServiceManager, text: string) {
  const status = await currentStatus(context);
  const advice = await lingerAdvice(context, options, manager);
  if (options.json) {
    context.out.json({ ...summary(manager), started: true, status, ...(advice === "" ? {} : { advice }) });
    return 0;
  }
  const { out } = context;
  out.line(`${text}: ${manager.service} (${manager.name}) keeps the gateway at ${status.url} running`);
  if (advice !== "") out.line(advice);
  return 0;
}

function summary({ name, service, definitionPath }: ServiceManager) {
  return { manager: name, service, definitionPath };
}
