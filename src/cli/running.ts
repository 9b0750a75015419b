import { readFile } from "node:fs/promises";
import { type ConfigSource, defaultConfig, parseJson5 } from "../config/parse.ts";
import { portFromEnvironment, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import type { Status } from "../core/control.ts";
import { ClawkitError } from "../core/errors.ts";
import { withoutSecrets } from "../core/secrets.ts";
import type { PortOwner } from "../host/types.ts";
import { readConfigSource } from "./config-file.ts";
import type { CliContext } from "./context.ts";
import { callControl } from "./control-client.ts";

/** A supervisor asks its edge before it answers; both take milliseconds. */
const LOOK_MS = 1_000;

/** The state as the supervisor tells it, or as it looks from outside when there is none. */
export async function currentStatus(context: CliContext): Promise<Status> {
  const status = await callControl(context.controlPath, { op: "status" }, () => undefined);
  return status === undefined ? await statusWithoutAnswer(context) : ofNow(status);
}

/** The same for who only looks: a supervisor that does not answer soon is a finding, not an error. */
export async function statusToLookAt(context: CliContext): Promise<Status> {
  const asked = callControl(context.controlPath, { op: "status" }, () => undefined, LOOK_MS);
  const status = await asked.catch(() => undefined);
  return status === undefined ? await statusWithoutAnswer(context) : ofNow(status);
}

/** A supervisor that was started before an upgrade leaves out what came with it. */
function ofNow(status: Partial<Pick<Status, "networkTimers">> & Omit<Status, "networkTimers">): Status {
  return { ...status, networkTimers: status.networkTimers ?? [] };
}

/** Nobody of ours answers: the port is free, it belongs to someone else, or a supervisor lives and cannot answer. */
async function statusWithoutAnswer(context: CliContext): Promise<Status> {
  const silentPid = await context.supervisorPid();
  const { port, reason: configProblem } = await configuredPort(context);
  const [owner] = silentPid === undefined ? await context.host.portOwners(port) : [];
  const reason = silentPid === undefined ? configProblem : "its supervisor is starting or does not answer";
  return {
    state: silentPid !== undefined ? "starting" : owner === undefined ? "stopped" : "foreign",
    port,
    url: null,
    supervisor: { pid: silentPid ?? null, upMs: null, version: null },
    edge: { pid: null, held: 0 },
    gateway: { pid: null, state: "stopped", generation: null, upMs: null, lastExit: null, endsInARow: 0 },
    connections: 0,
    networkTimers: [],
    ...(owner === undefined ? {} : { portOwner: { pid: owner.pid ?? null, command: shownCommand(owner) } }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Of any program: the words may hold a token. */
function shownCommand({ command }: PortOwner): string | null {
  return command === undefined ? null : withoutSecrets(command);
}

/** The port of the config, or of the last start where there is none to read. */
export async function configuredPort(context: CliContext): Promise<{ port: number; reason?: string }> {
  const source = await readConfigSource(context.paths);
  const fallback = portFromEnvironment(context.env) ?? defaultConfig().gateway.port;
  if (source.text.trim() === "") return { port: fallback };
  try {
    return { port: (await readConfig(context)).gateway.port };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { port: (await lastPort(context)) ?? portIn(source) ?? fallback, reason };
  }
}

/** The port of a config in which something else is wrong. */
function portIn(source: ConfigSource): number | undefined {
  try {
    const port = (parseJson5(source) as { gateway?: { port?: unknown } } | null)?.gateway?.port;
    return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536 ? Number(port) : undefined;
  } catch {
    return undefined;
  }
}

/** The port of the last start: a config that is broken now says none. */
async function lastPort({ paths, env }: CliContext): Promise<number | undefined> {
  try {
    const text = await readFile(paths.lastValidConfig, "utf8");
    return resolveConfig({ path: paths.lastValidConfig, text }, env).gateway.port;
  } catch {
    return undefined;
  }
}

/** The config in force. Throws what is wrong with it; a file that is missing or empty is, too. */
export async function readConfig(context: Pick<CliContext, "paths" | "env">): Promise<Config> {
  return (await readConfigAndText(context)).config;
}

/** The same, with the very text that it was read from. */
export async function readConfigAndText(
  context: Pick<CliContext, "paths" | "env">,
): Promise<{ config: Config; text: string }> {
  const source = await readConfigSource(context.paths);
  if (source.text.trim() !== "") return { config: resolveConfig(source, context.env), text: source.text };
  throw new ClawkitError(
    "CONFIG_INVALID",
    `Cannot use ${source.path} as it is missing or empty: clawkit gateway start writes a new one when nothing runs`,
  );
}
