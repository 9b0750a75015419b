import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, systemErrorCode } from "../core/errors.ts";
import { engineOf, gatewayContainers, isUp, serviceOf } from "../diagnosis/facts/gateway-containers.ts";
import { packageOf } from "../diagnosis/facts/installs.ts";
import { lockOwner } from "../diagnosis/facts/openclaw-locks.ts";
import { familyOf, holdsLock } from "../diagnosis/facts/owner.ts";
import type { Machine } from "../diagnosis/machine.ts";
import { runCommand } from "../host/command.ts";
import { isInContainer } from "../host/container.ts";
import { findOpenclaw, type OpenclawSearch } from "../host/openclaw-command.ts";
import { type OpenclawGateway, readOpenclawGateway } from "../host/openclaw-gateway.ts";
import type { PortOwner, ProcessFacts, ServiceFacts } from "../host/types.ts";
import { isRival } from "../services/rivals.ts";
import { isShortLived } from "../services/stable-path.ts";

/** OpenClaw's own default. */
const DEFAULT_PORT = 18789;

/** Its command line takes seconds to start, on a busy machine more. */
const VERSION_MS = 60_000;

/** A gateway of OpenClaw that lives. */
export interface RunningGateway {
  readonly facts: ProcessFacts;
  /** Of the lock that it holds. */
  readonly port: number | undefined;
  /** Its own lock, or the port it listens on, says that it is the one of this user's state folder. */
  readonly isProven: boolean;
}

/** What there is of OpenClaw on this machine, as far as it decides whether, and how, it can be put behind the edge. */
export interface Installation {
  /** Program and leading arguments of its command line. */
  readonly command: readonly string[] | undefined;
  readonly version: string | undefined;
  readonly configPath: string;
  /** Undefined if there is no such file. */
  readonly configText: string | undefined;
  readonly gateway: OpenclawGateway | { readonly problem: string };
  /** The port that its own config, or the environment, names. */
  readonly port: number;
  readonly running: readonly RunningGateway[];
  /** Who listens on the port. */
  readonly portOwners: readonly PortOwner[];
  /** What a service manager runs of it, or starts by itself; empty also where there is none. */
  readonly services: readonly ServiceFacts[];
  /** The container of this machine that runs a gateway for the port; undefined also where Docker does not let us look. */
  readonly container: { readonly name: string; readonly service?: string } | undefined;
  readonly isInContainer: boolean;
  /** The command line of pid 1, where this is the inside of a container. */
  readonly firstProcess: string | undefined;
}

export async function findInstallation(machine: Machine, search: OpenclawSearch): Promise<Installation> {
  const { host, openclawConfigPath: configPath, env } = machine;
  const command = await lasting(await findOpenclaw(search));
  const { configText, gateway } = await readConfig(configPath);
  const port = Number(env.OPENCLAW_GATEWAY_PORT) || ("port" in gateway && gateway.port) || DEFAULT_PORT;
  const [portOwners, services, container, isInside, version] = await Promise.all([
    host.portOwners(port),
    host.services().catch(() => undefined),
    runningContainer(machine).catch(() => undefined),
    isInContainer(),
    command === undefined ? undefined : versionOfCommand(command),
  ]);
  const firstProcess = isInside ? (await host.process(1))?.command : undefined;
  return {
    command,
    version,
    configPath,
    configText,
    gateway,
    port,
    running: await runningGateways(machine, portOwners),
    portOwners,
    services: (services ?? []).filter(isRival),
    container,
    isInContainer: isInside,
    firstProcess,
  };
}

/** fnm gives every shell a link of its own to the folder of a version: behind the link it is there tomorrow, too. */
async function lasting(command: readonly string[] | undefined): Promise<readonly string[] | undefined> {
  const [file, ...args] = command ?? [];
  if (file === undefined || !isShortLived(file)) return command;
  return [join(await realpath(dirname(file)), basename(file)), ...args];
}

async function runningContainer(machine: Machine): Promise<Installation["container"]> {
  const engine = await engineOf(machine);
  const gateway = engine === undefined ? undefined : (await gatewayContainers(machine, engine)).gateway;
  if (gateway === undefined || !isUp(gateway)) return undefined;
  const service = serviceOf(gateway);
  return { name: gateway.name, ...(service === undefined ? {} : { service }) };
}

async function readConfig(path: string): Promise<Pick<Installation, "configText" | "gateway">> {
  let configText: string | undefined;
  try {
    configText = await readFile(path, "utf8");
  } catch (error) {
    const problem = `Cannot read ${path}: ${messageOf(error)}`;
    if (systemErrorCode(error) !== "ENOENT") return { configText, gateway: { problem } };
  }
  try {
    return { configText, gateway: readOpenclawGateway({ path, text: configText ?? "" }) };
  } catch (error) {
    return { configText, gateway: { problem: messageOf(error) } };
  }
}

/** Of the package the command belongs to; a script that starts it elsewhere is asked. */
async function versionOfCommand(command: readonly string[]): Promise<string | undefined> {
  const { version: known } = await packageOf(command.at(-1)!);
  if (known !== undefined) return known;
  const [program, ...args] = command;
  const options = { timeLimitMs: VERSION_MS };
  const said = await runCommand(program!, [...args, "--version"], options).catch(() => undefined);
  return /\d{4}\.\d+\.\d+\S*/.exec(said ?? "")?.[0];
}

async function runningGateways(machine: Machine, owners: readonly PortOwner[]): Promise<RunningGateway[]> {
  const locks = await machine.openclawLocks();
  const found: RunningGateway[] = [];
  for (const facts of await familyOf(machine)) {
    if (facts.state === "zombie") continue;
    const lock = locks.find((one) => one.pid === facts.pid && lockOwner(one, [facts]) === "held");
    const hasLock = await holdsLock(facts, machine);
    const isListening = owners.some(({ pid }) => pid === facts.pid);
    // the parent of one that started itself anew holds neither: it ends with its child
    if (!hasLock && !isListening) continue;
    const isProven = hasLock && facts.user === machine.userName;
    found.push({ facts, port: lock?.port, isProven });
  }
  return found;
}
