import { DockerEngine } from "../../host/docker.ts";
import type { Container, ContainerSummary } from "../../host/docker-container.ts";
import { dockerEndpoint } from "../../host/docker-endpoint.ts";
import type { Machine } from "../machine.ts";
import { isInstalledBeside, isServedByProcess } from "./beside-containers.ts";

/** What names, images and services of gateways have in them: enough to look at one, never to take it for a gateway. */
const NAMED = /openclaw|clawkit|clawdbot|moltbot/i;

/** A container of the command line, as the field's compose files name it. */
const CLI_NAMED = /(^|[-_/])cli([-_]|$)/i;

/**
 * A first process that runs a gateway: `tini -- clawkit gateway run`, `node dist/index.js gateway --port 18789`, also
 * one that a shell starts among other commands.
 */
const GATEWAY_COMMAND =
  /((^|[\s/])(openclaw|clawdbot|moltbot|clawkit)(\.[cm]?[jt]s)?|dist\/index\.js) gateway( run)?( --|\s*[;&|\n]|$)/;

/** One that runs any command of theirs. */
const FAMILY_COMMAND = /((^|[\s/])(openclaw|clawdbot|moltbot|clawkit)(\.[cm]?[jt]s)?|dist\/index\.js)( |$)/;

const DEFAULT_PORT = 18789;

/** Whoever asks why their gateway is away does not mean one that ended before. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

/** The containers of this machine that have to do with the target. */
export interface GatewayContainers {
  /** The one that is, or should be, behind the target's port. */
  readonly gateway?: Container;
  /** Others that would be there too. */
  readonly others: readonly Container[];
  /** Command lines in containers, beside this gateway. */
  readonly commandLines: readonly Container[];
  /** Gateways that run and are published at other ports, where none is behind the target's. */
  readonly elsewhere: readonly Container[];
  /** What is published at the target's port, and is no gateway: a proxy in front of one, or anything. */
  readonly stranger?: ContainerSummary;
}

/** The engine of this machine; undefined if there is none. Throws if there is one that does not let us look. */
export async function engineOf(machine: Machine): Promise<DockerEngine | undefined> {
  const endpoint = await dockerEndpoint(machine);
  return endpoint === undefined ? undefined : new DockerEngine(endpoint);
}

/**
 * A container is this gateway if its first process is a gateway's, whatever it is called, and the target's port leads
 * into it, or would if it ran. Where a process of the machine itself serves the port, no container does. Where
 * ClawKit itself serves the port, or anybody listens, containers that do not run are of another time.
 */
export async function gatewayContainers(machine: Machine, engine: DockerEngine): Promise<GatewayContainers> {
  const { port } = machine.target;
  const [listed, owners, hasOwnState] = await Promise.all([
    engine.containers(),
    machine.portOwners(),
    machine.hasOwnState(),
  ]);
  const asked = listed.filter((one) => looksLikeGateway(one) || runsGateway({ command: [one.command] }));
  const found = (await Promise.all(asked.map(({ id }) => engine.container(id)))).filter(
    (one) => one !== undefined,
  );
  if (await isServedByProcess(machine, found)) return { others: [], commandLines: [], elsewhere: [] };
  const isTaken = hasOwnState || owners.length > 0;
  const gateways = found.filter(runsGateway);
  const candidates = gateways.filter((one) => leadsInto(one, port) && (isUp(one) || !isTaken));
  const [gateway, ...others] = candidates
    .filter((one) => isUp(one) || machine.clock.wall() - lastSeen(one) < FORGOTTEN_MS)
    .sort((a, b) => rankOf(b, port) - rankOf(a, port));
  const commandLines = gateway === undefined ? [] : found.filter((one) => isBeside(one, gateway));
  const stranger = listed.find(
    ({ id, hostPorts }) => hostPorts.includes(port) && !gateways.some((one) => one.id === id),
  );
  if (gateway !== undefined) {
    return { gateway, others, commandLines, elsewhere: [], ...(stranger === undefined ? {} : { stranger }) };
  }
  if (stranger !== undefined) return { others, commandLines, elsewhere: [], stranger };
  const lost = gateways.filter((one) => isUp(one) && !leadsInto(one, port));
  const free = await Promise.all(lost.map(async (one) => !(await isInstalledBeside(machine, one))));
  const [unpublished, ...more] = lost.filter((one, index) => free[index] && isUnpublished(one, port));
  const elsewhere = lost.filter((one, index) => free[index] && isPublished(one));
  return {
    ...(unpublished === undefined ? {} : { gateway: unpublished }),
    others: more,
    commandLines: unpublished === undefined ? [] : found.filter((one) => isBeside(one, unpublished)),
    elsewhere: unpublished === undefined ? elsewhere : [],
  };
}

/** Its first process is a gateway's: what no name, title or image proves. */
export function runsGateway({ command }: Pick<Container, "command">): boolean {
  return GATEWAY_COMMAND.test(command.join(" "));
}

/** Its first process is a command of OpenClaw's or ours. */
export function runsFamily({ command }: Pick<Container, "command">): boolean {
  return FAMILY_COMMAND.test(command.join(" "));
}

function looksLikeGateway(one: Pick<ContainerSummary, "name" | "image" | "labels">): boolean {
  return NAMED.test(one.name) || NAMED.test(one.image) || NAMED.test(serviceOf(one) ?? "");
}

/** The service of its compose file, if one made it. */
export function serviceOf({ labels }: Pick<Container, "labels">): string | undefined {
  return labels["com.docker.compose.service"];
}

export function isUp({ state }: { readonly state: Container["state"] }): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

/** The port that it listens on inside, as far as its command, environment or image say. */
export function portInside({ command, env, exposed }: Container): number {
  const option = /--port[= ](\d+)/.exec(command.join(" "))?.[1];
  const given = option ?? env.CLAWKIT_GATEWAY_PORT ?? env.OPENCLAW_GATEWAY_PORT;
  return Number(given) || (exposed.length === 1 ? exposed[0]! : DEFAULT_PORT);
}

/** Where it is published at the target's port. */
export function publishedAt({ ports }: Container, port: number): Container["ports"][number] | undefined {
  return ports.find(({ hostPort }) => hostPort === port);
}

/** When it ended, or was made if it never ran. */
export function lastSeen({ finishedAt, startedAt, createdAt }: Container): number {
  return Math.max(finishedAt ?? 0, startedAt ?? 0, createdAt ?? 0);
}

/** What comes in at the port gets into it, as it was made. */
function leadsInto(one: Container, port: number): boolean {
  const isOfHost = one.networkMode === "host" && portInside(one) === port;
  return isOfHost || publishedAt(one, port) !== undefined;
}

/** It listens on the port that is asked for, and that leads nowhere. */
function isUnpublished(one: Container, port: number): boolean {
  return portInside(one) === port && !isPublished(one) && !one.networkMode.startsWith("container:");
}

function isPublished(one: Container): boolean {
  return one.ports.some(({ inside }) => inside === portInside(one));
}

function isCommandLine(one: Container): boolean {
  if (runsGateway(one) || one.ports.length > 0) return false;
  return CLI_NAMED.test(serviceOf(one) ?? one.name) && runsFamily(one);
}

/** A command line that was made for this gateway: of the same project, or the same image. */
function isBeside(one: Container, gateway: Container): boolean {
  const project = (container: Container) => container.labels["com.docker.compose.project"];
  const isSame = project(one) === undefined ? one.image === gateway.image : project(one) === project(gateway);
  return isCommandLine(one) && isSame;
}

/** Of several the one that runs and is published, then the one that runs, then the one that ended last. */
function rankOf(one: Container, port: number): number {
  const HOUR_MS = 3_600_000;
  const isPublished = publishedAt(one, port) !== undefined;
  const recency = lastSeen(one) / (1e6 * HOUR_MS); // below 1 until the year 2084
  return (isUp(one) ? 4 : 0) + (isPublished ? 2 : 0) + recency;
}
