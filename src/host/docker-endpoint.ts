import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where a Docker Engine of this machine listens. */
export type DockerEndpoint =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

export interface DockerSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const WINDOWS_PIPES = "//./pipe/";
const WINDOWS_PIPE = "docker_engine";

/**
 * The engine that `docker` would reach: DOCKER_HOST, or the context that is chosen; else the first socket that is there
 * of the system's, a rootless engine's and Docker Desktop's. Undefined if there is none. Throws for one that is no engine
 * of this machine: its containers are not the ones that hold our ports.
 */
export async function dockerEndpoint(around: DockerSurroundings): Promise<DockerEndpoint | undefined> {
  const { env, platform, home } = around;
  // DOCKER_CONTEXT overrules DOCKER_HOST, which overrules the context of `docker context use`
  const isContextAsked = Boolean(env.DOCKER_CONTEXT) || !env.DOCKER_HOST;
  const chosen = isContextAsked ? await hostOfContext(around) : undefined;
  if (chosen !== undefined) return parseDockerHost(chosen, "the Docker context");
  if (env.DOCKER_HOST) return parseDockerHost(env.DOCKER_HOST);
  if (platform === "win32") {
    const pipes: string[] = await readdir(WINDOWS_PIPES).catch(() => []);
    return pipes.includes(WINDOWS_PIPE) ? { socketPath: WINDOWS_PIPES + WINDOWS_PIPE } : undefined;
  }
  const sockets = [
    "/var/run/docker.sock",
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, "docker.sock")] : []),
    join(home, ".docker", "run", "docker.sock"),
  ];
  for (const socketPath of sockets) {
    if ((await stat(socketPath).catch(() => undefined)) !== undefined) return { socketPath };
  }
  return undefined;
}

/** As the Docker CLI keeps it; `default` and what cannot be read is none. */
async function hostOfContext({ env, home }: DockerSurroundings): Promise<string | undefined> {
  const folder = env.DOCKER_CONFIG ?? join(home, ".docker");
  const read = async (...path: string[]) => JSON.parse(await readFile(join(folder, ...path), "utf8"));
  try {
    const config = env.DOCKER_CONTEXT ? undefined : ((await read("config.json")) as Context);
    const name = env.DOCKER_CONTEXT || config?.currentContext;
    if (!name || name === "default") return undefined;
    const id = createHash("sha256").update(name).digest("hex");
    return ((await read("contexts", "meta", id, "meta.json")) as Context).Endpoints?.docker?.Host;
  } catch {
    return undefined;
  }
}

interface Context {
  readonly currentContext?: string;
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

export function parseDockerHost(text: string, what = "DOCKER_HOST"): DockerEndpoint {
  const path = /^(?:unix|npipe):\/\/(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { socketPath: path };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  const isHere = host === "localhost" || host === "::1" || /^127\./.test(host);
  if (url?.protocol === "tcp:" && isHere) return { host, port: Number(url.port || 2375) };
  throw new Error(
    `${what} must be unix://, npipe:// or tcp:// to this machine, and is ${text}: run this where its engine is`,
  );
}

/** What DOCKER_HOST must say for it. */
export function dockerHostOf(endpoint: DockerEndpoint): string {
  if ("socketPath" in endpoint) {
    const { socketPath } = endpoint;
    return `${socketPath.startsWith(WINDOWS_PIPES) ? "npipe" : "unix"}://${socketPath}`;
  }
  return `tcp://${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

export function describeEndpoint(endpoint: DockerEndpoint): string {
  return "socketPath" in endpoint ? endpoint.socketPath : `${endpoint.host}:${endpoint.port}`;
}
