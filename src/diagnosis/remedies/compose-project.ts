import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { runCommand } from "../../host/command.ts";
import type { Container } from "../../host/docker-container.ts";
import { serviceOf } from "../facts/gateway-containers.ts";
import { hasService } from "./compose-file.ts";

/** Making a container anew stops the old one first, which may take its grace. */
const UP_MS = 400_000;
const HASH_MS = 10_000;

/** Compose 1 is a Python program. */
const VERSION_MS = 5_000;

export type ComposeCommand = readonly [program: string, ...args: string[]];

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

/** Compose as a plugin of Docker, or the program that it was before. */
export async function composeCommand(): Promise<ComposeCommand | undefined> {
  const commands: ComposeCommand[] = [["docker", "compose"], ["docker-compose"]];
  for (const command of commands) {
    const isThere = await run(command, ["version"], VERSION_MS).catch(() => undefined);
    if (isThere !== undefined) return command;
  }
  return undefined;
}

/**
 * Whether making it anew now would make the same: with another environment, or a file that was edited since, it would
 * get other mounts, or no token. Compose itself says so, with the hash that it left in the label.
 */
export async function isReproducible(
  { service, up }: ComposeProject,
  compose: ComposeCommand,
  container: Container,
): Promise<boolean> {
  const hash = container.labels["com.docker.compose.config-hash"];
  const args = [...up, "config", "--hash", service];
  const answer = await run(compose, args, HASH_MS).catch(() => undefined);
  return hash !== undefined && answer?.trim().split(/\s+/).at(-1) === hash;
}

export async function composeUp({ service, up }: ComposeProject, compose: ComposeCommand): Promise<void> {
  await run(compose, [...up, "up", "-d", service], UP_MS);
}

async function run(
  [program, ...first]: ComposeCommand,
  args: readonly string[],
  timeLimitMs: number,
): Promise<string | undefined> {
  return await runCommand(program, [...first, ...args], { timeLimitMs, mustSucceed: true });
}
