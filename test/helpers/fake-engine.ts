import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Machine } from "../../src/diagnosis/machine.ts";

/** What a test says of a container; the rest is a gateway of ours that runs. */
export interface FakeContainer {
  readonly id?: string;
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly state?: object;
  readonly policy?: string;
  /** Folders of the host. */
  readonly mounted?: readonly string[];
  readonly networkMode?: string;
  /** `{ "18789/tcp": 28789 }` */
  readonly ports?: Readonly<Record<string, number>>;
  /** Lines with their times. */
  readonly log?: readonly string[];
  readonly events?: readonly object[];
}

/** A server on a Unix socket that answers like a Docker Engine, from what a test gives it. */
export class FakeEngine implements AsyncDisposable {
  readonly socketPath: string;
  /** `POST /containers/…/start`, with its body if it has one. */
  readonly posts: string[] = [];
  containers: readonly FakeContainer[] = [];
  /** How often its policy restarted each. */
  restarts = 0;
  readonly #server: http.Server;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.socketPath = join(folder, "docker.sock");
    this.#server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        const [status, answer] = this.#answer(request.method!, request.url!, body);
        response.writeHead(status, { "api-version": "1.41" });
        response.end(answer);
      });
    });
  }

  static async start(...containers: readonly FakeContainer[]): Promise<FakeEngine> {
    const engine = new FakeEngine(await mkdtemp(join(tmpdir(), "clawkit-engine-")));
    engine.containers = containers;
    await new Promise<void>((resolve) => engine.#server.listen(engine.socketPath, resolve));
    return engine;
  }

  /** For `machineWith`: where this engine is the machine's. */
  get env(): Machine["env"] {
    return { DOCKER_HOST: `unix://${this.socketPath}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #answer(method: string, url: string, body: string): [status: number, answer: string | Buffer] {
    const { pathname, searchParams } = new URL(url, "http://docker");
    if (pathname === "/_ping") return [200, "OK"];
    if (pathname === "/v1.41/containers/json") return [200, JSON.stringify(this.containers.map(summaryOf))];
    const filters = JSON.parse(searchParams.get("filters") ?? "{}") as { container?: string[] };
    const id = /^\/v1\.41\/containers\/([^/]+)/.exec(pathname)?.[1] ?? filters.container?.[0];
    const one = this.containers.find((container) => idOf(container) === id);
    if (one === undefined) return [404, JSON.stringify({ message: `No such container: ${id}` })];
    if (method === "POST") {
      this.posts.push(`POST ${pathname}${body === "" ? "" : ` ${body}`}`);
      return [pathname.endsWith("/update") ? 200 : 204, ""];
    }
    if (pathname.endsWith("/logs")) return [200, multiplexed(one.log ?? [])];
    if (pathname.endsWith("/events"))
      return [200, (one.events ?? []).map((event) => `${JSON.stringify(event)}\n`).join("")];
    return [200, JSON.stringify({ ...inspectOf(one), RestartCount: this.restarts })];
  }
}

/** When containers of made-up machines end, unless they say otherwise. */
const ENDED_AT = Date.parse("2026-11-22T11:59:00Z");

/** As the engine tells of it: `eventOf("kill", { signal: "9" })`. */
export function eventOf(action: string, attributes: Record<string, string> = {}, at = ENDED_AT): object {
  return { Type: "container", Action: action, Actor: { Attributes: attributes }, timeNano: at * 1e6 };
}

export function inspectOf(one: FakeContainer): object {
  const [path, ...args] = one.command ?? ["tini", "--", "clawkit", "gateway", "run"];
  const started = {
    Status: "running",
    ExitCode: 0,
    Error: "",
    OOMKilled: false,
    Pid: 0,
    StartedAt: "2026-11-22T11:00:00Z",
  };
  return {
    Id: idOf(one),
    Name: `/${nameOf(one)}`,
    Path: path,
    Args: args,
    State: { ...started, ...one.state },
    HostConfig: {
      NetworkMode: one.networkMode ?? "default",
      RestartPolicy: { Name: one.policy ?? "unless-stopped", MaximumRetryCount: 0 },
      PortBindings: Object.fromEntries(
        Object.entries(one.ports ?? {}).map(([key, port]) => [key, [{ HostIp: "", HostPort: String(port) }]]),
      ),
      Memory: 0,
    },
    Config: {
      Tty: false,
      Image: imageOf(one),
      Env: one.env ?? [],
      Labels: one.labels ?? {},
      ExposedPorts: {},
    },
    NetworkSettings: { Ports: {}, Networks: {} },
    Mounts: (one.mounted ?? []).map((path) => ({ Type: "bind", Source: path })),
  };
}

function summaryOf(one: FakeContainer): object {
  return {
    Id: idOf(one),
    Names: [`/${nameOf(one)}`],
    Image: imageOf(one),
    Command: (one.command ?? ["tini", "--", "clawkit", "gateway", "run"]).join(" "),
    Labels: one.labels ?? {},
    State: (one.state as { Status?: string } | undefined)?.Status ?? "running",
    Ports: Object.values(one.ports ?? {}).map((port) => ({ PublicPort: port, Type: "tcp" })),
  };
}

function multiplexed(lines: readonly string[]): Buffer {
  return Buffer.concat(
    lines.map((line) => {
      const text = Buffer.from(`${line}\n`);
      const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
      head.writeUInt32BE(text.length, 4);
      return Buffer.concat([head, text]);
    }),
  );
}

const idOf = ({ id, name }: FakeContainer) => id ?? `id-of-${name ?? "openclaw-gateway"}`;
const nameOf = ({ name }: FakeContainer) => name ?? "openclaw-gateway";
const imageOf = ({ image }: FakeContainer) => image ?? "openclaw/gateway:latest";
