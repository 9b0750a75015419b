import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { runCommand } from "../../host/command.ts";
import type { Container } from "../../host/docker-container.ts";
import { type DockerEndpoint, dockerHostOf } from "../../host/docker-endpoint.ts";
import { serviceOf } from "../facts/gateway-containers.ts";
import { hasService } from "./compose-file.ts";

/** Making a container anew stops the old one first, which may take its grace. */
const UP_MS = 400_000;
const HASH_MS = 10_000;

/** Compose 1 is a Python program. */
const VERSION_MS = 5_000;

/** How Compose is called here. */
export interface Compose {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What Compose wrote into the labels of a container that it made. */
export interface ComposeProject {
  readonly service: string;
  readonly folder: string;
  /** The file that has the service; the last of several, which overrules the others. */
  readonly file: string;
  readonly text: string;
  /** Makes a service's container anew, as it was made before. */
  readonly up: readonly string[];
}

/** Undefined if Compose did not make it, or its files are not on this machine. */
export async function composeProjectOf(container: Container): Promise<ComposeProject | undefined> {
  const { labels } = container;
  const service = serviceOf(container);
  const folder = labels["com.docker.compose.project.working_dir"];
  const project = labels["com.docker.compose.project"];
  const named = labels["com.docker.compose.project.config_files"]?.split(",") ?? [];
  if (service === undefined || folder === undefined || project === undefined) return undefined;
  // Compose 1 writes them as they were given
  const files = named.map((path) => (isAbsolute(path) ? path : join(folder, path)));
  const up = [
    "--project-directory",
    folder,
    "--project-name",
    project,
    ...files.flatMap((path) => ["-f", path]),
  ];
  for (const file of files.toReversed()) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined && (await hasService(text, service))) return { service, folder, file, text, up };
  }
  return undefined;
}

/**
 * Compose as a plugin of Docker, or the program that it was before. It acts on the engine that was looked at, whatever
 * context is chosen: on another one it would make a second container.
 */
export async function composeAt(
  endpoint: DockerEndpoint,
  env: Compose["environment"] = {},
): Promise<Compose | undefined> {
  const environment = { ...env, DOCKER_HOST: dockerHostOf(endpoint), DOCKER_CONTEXT: undefined };
  const commands: Compose["command"][] = [["docker", "compose"], ["docker-compose"]];
  for (const command of commands) {
    const compose = { command, environment };
    if ((await run(compose, ["version"], VERSION_MS).catch(() => undefined)) !== undefined) return compose;
  }
  return undefined;
}

/**
 * What Compose would make of each service now, as it writes it into the label `config-hash` of a container that it
 * makes. Throws what is wrong with the file.
 */
export async function serviceHashes(
  { up }: Pick<ComposeProject, "up">,
  compose: Compose,
): Promise<ReadonlyMap<string, string>> {
  const answer = await run(compose, [...up, "config", "--hash", "*"], HASH_MS);
  const lines = (answer ?? "").trim().split("\n");
  return new Map(lines.map((line) => line.trim().split(/\s+/, 2) as [string, string]));
}

/** Makes the container of this service anew, and of no other: what it depends on may have edits that nobody asked for. */
export async function composeUp(
  { service, up }: Pick<ComposeProject, "service" | "up">,
  compose: Compose,
): Promise<void> {
  await run(compose, [...up, ...upOf(service)], UP_MS);
}

/** The same, for a person to type in the project's folder. */
export function upCommand({ service }: Pick<ComposeProject, "service">): string {
  return ["docker", "compose", ...upOf(service)].join(" ");
}

function upOf(service: string): string[] {
  return ["up", "-d", "--no-deps", service];
}

async function run(
  { command: [program, ...first], environment }: Compose,
  args: readonly string[],
  timeLimitMs: number,
): Promise<string | undefined> {
  return await runCommand(program, [...first, ...args], { environment, timeLimitMs, mustSucceed: true });
}
