/** Of `docker ps -a`: what is known of a container without asking for it. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  /** Ports of the host, while it runs. */
  readonly hostPorts: readonly number[];
}

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export interface RestartPolicy {
  /** `no` and the empty name are the same. */
  readonly name: string;
  readonly maxRetries: number;
}

export interface PublishedPort {
  readonly inside: number;
  readonly hostAddress: string;
  readonly hostPort: number;
}

export interface ContainerHealth {
  readonly status: "none" | "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** Of the last check: what it exited with, and printed. */
  readonly lastExitCode?: number;
  readonly lastOutput?: string;
}

/** What `docker inspect` says of a container, as far as we look at it. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** What really runs as its first process: entry point and command, of the image or given. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly hasTerminal: boolean;
  readonly state: ContainerState;
  readonly exitCode: number;
  /** Why it could not be started. */
  readonly error: string;
  readonly isOomKilled: boolean;
  /** The pid of its first process, on the engine's machine; 0 if none runs. */
  readonly pid: number;
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly health?: ContainerHealth;
  readonly restartCount: number;
  readonly restartPolicy: RestartPolicy;
  readonly memoryLimitBytes?: number;
  /** `bridge`, `host`, `container:<id>`, or the name of a network. */
  readonly networkMode: string;
  readonly networks: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly exposed: readonly number[];
  /** Folders and files of the host that it has as its own. */
  readonly mounted: readonly string[];
}

export interface ContainerEvent {
  readonly action: string;
  readonly at: number;
  /** Of `kill`: the signal's number or name; of `die` the exit code. */
  readonly signal?: string;
  readonly exitCode?: number;
}

/** The answer to `/containers/json`. */
export function parseSummaries(value: unknown): ContainerSummary[] {
  if (!Array.isArray(value)) return [];
  return value.map((one: Raw) => ({
    id: text(one.Id),
    name: nameOf(list(one.Names)[0]),
    image: text(one.Image),
    command: text(one.Command),
    labels: strings(one.Labels),
    state: text(one.State) as ContainerState,
    hostPorts: list(one.Ports).flatMap((port) => numbers((port as Raw).PublicPort)),
  }));
}

/** The answer to `/containers/{id}/json`. */
export function parseContainer(value: unknown): Container {
  const raw = record(value);
  const [state, config, host] = [record(raw.State), record(raw.Config), record(raw.HostConfig)];
  const network = record(raw.NetworkSettings);
  const policy = record(host.RestartPolicy);
  const health = healthOf(state.Health);
  const memory = Number(host.Memory ?? 0);
  return {
    id: text(raw.Id),
    name: nameOf(raw.Name),
    image: text(config.Image),
    command: [text(raw.Path), ...list(raw.Args).map(text)],
    env: environmentOf(list(config.Env)),
    labels: strings(config.Labels),
    hasTerminal: config.Tty === true,
    state: text(state.Status) as ContainerState,
    exitCode: Number(state.ExitCode ?? 0),
    error: text(state.Error),
    isOomKilled: state.OOMKilled === true,
    pid: Number(state.Pid ?? 0),
    ...timeOf("createdAt", raw.Created),
    ...timeOf("startedAt", state.StartedAt),
    ...timeOf("finishedAt", state.FinishedAt),
    ...(health === undefined ? {} : { health }),
    restartCount: Number(raw.RestartCount ?? 0),
    restartPolicy: { name: text(policy.Name), maxRetries: Number(policy.MaximumRetryCount ?? 0) },
    ...(memory > 0 ? { memoryLimitBytes: memory } : {}),
    networkMode: text(host.NetworkMode),
    networks: Object.keys(record(network.Networks)),
    ports: portsOf(record(host.PortBindings), record(network.Ports)),
    exposed: Object.keys(record(config.ExposedPorts)).flatMap(tcpPort),
    mounted: list(raw.Mounts)
      .map(record)
      .filter(({ Type }) => Type === "bind")
      .map(({ Source }) => text(Source)),
  };
}

/** One JSON object a line, as `/events` sends them. */
export function parseEvents(body: string): ContainerEvent[] {
  return body.split("\n").flatMap((line): ContainerEvent[] => {
    if (line.trim() === "") return [];
    const raw = JSON.parse(line) as Raw;
    const { signal, exitCode } = record(record(raw.Actor).Attributes);
    return [
      {
        action: text(raw.Action),
        at: Number(raw.timeNano ?? 0) / 1e6 || Number(raw.time ?? 0) * 1000,
        ...(signal === undefined ? {} : { signal: text(signal) }),
        ...(exitCode === undefined ? {} : { exitCode: Number(exitCode) }),
      },
    ];
  });
}

const FRAME_HEAD_BYTES = 8;

/**
 * What `/containers/{id}/logs` sends: with a terminal the bytes as they came, else frames of both streams, each with
 * a head of its stream's number, three zeros and its length in four bytes (Docker Engine API, "Attach to a container").
 */
export function textOfLog(body: Buffer, hasTerminal: boolean): string {
  if (hasTerminal) return body.toString();
  const parts: Buffer[] = [];
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= body.length) {
    const end = at + FRAME_HEAD_BYTES + body.readUInt32BE(at + 4);
    parts.push(body.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

type Raw = Readonly<Record<string, unknown>>;

function healthOf(value: unknown): ContainerHealth | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const raw = value as Raw;
  const last = list(raw.Log).at(-1) as Raw | undefined;
  return {
    status: text(raw.Status) as ContainerHealth["status"],
    failingStreak: Number(raw.FailingStreak ?? 0),
    ...(last === undefined
      ? {}
      : { lastExitCode: Number(last.ExitCode), lastOutput: text(last.Output).trim() }),
  };
}

/** Those that were asked for also stand there when it does not run; those that it has now may be any free ones. */
function portsOf(asked: Raw, now: Raw): PublishedPort[] {
  return Object.keys({ ...asked, ...now }).flatMap((key) =>
    tcpPort(key).flatMap((inside) => {
      const bindings = list(now[key]).length > 0 ? list(now[key]) : list(asked[key]);
      return bindings.flatMap((one): PublishedPort[] => {
        const { HostIp, HostPort } = record(one);
        const hostPort = Number(HostPort);
        return hostPort > 0 ? [{ inside, hostAddress: text(HostIp), hostPort }] : [];
      });
    }),
  );
}

function tcpPort(key: string): number[] {
  const port = /^(\d+)(\/tcp)?$/.exec(key)?.[1];
  return port === undefined ? [] : [Number(port)];
}

/** An engine writes the year 1 for never. */
function timeOf<Key extends string>(key: Key, value: unknown): { [K in Key]?: number } {
  const at = Date.parse(text(value));
  return (at > 0 ? { [key]: at } : {}) as { [K in Key]?: number };
}

function environmentOf(entries: readonly unknown[]): Record<string, string> {
  return Object.fromEntries(
    entries.map(text).map((entry) => {
      const at = entry.indexOf("=");
      return at === -1 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function nameOf(value: unknown): string {
  return text(value).replace(/^\//, "");
}

function strings(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, one]) => [key, text(one)]));
}

function numbers(value: unknown): number[] {
  return typeof value === "number" ? [value] : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
