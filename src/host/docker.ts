import http from "node:http";
import { ClawkitError, systemErrorCode } from "../core/errors.ts";
import {
  type Container,
  type ContainerEvent,
  type ContainerSummary,
  parseContainer,
  parseEvents,
  parseSummaries,
  type RestartPolicy,
  textOfLog,
} from "./docker-container.ts";
import { type DockerEndpoint, describeEndpoint } from "./docker-endpoint.ts";

/** It answers in milliseconds; all that the doctor asks must fit into its look. */
const ASK_MS = 800;

/** Stopping comes before a start again, and a container's grace may be minutes (OpenClaw's is 330 s). */
const ACT_MS = 360_000;

/** Hundreds of containers, or a long log. */
const MAX_BYTES = 8 * 1024 * 1024;

const ENDS = ["kill", "die", "stop", "oom"];

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** There is a socket, and no engine that talks to us: that says nothing about containers. */
export class NoEngineAnswer extends Error {}

/** The few words of the Docker Engine API that the doctor needs: it reads, and starts, restarts, renames or sets a policy. */
export class DockerEngine {
  readonly endpoint: DockerEndpoint;
  #version: Promise<string> | undefined;

  constructor(endpoint: DockerEndpoint) {
    this.endpoint = endpoint;
  }

  /** All containers, also those that do not run, the newest first. */
  async containers(): Promise<ContainerSummary[]> {
    return parseSummaries(await this.#json("/containers/json?all=1"));
  }

  /** Undefined if there is none, or none any more. */
  async container(id: string): Promise<Container | undefined> {
    const answer = await this.#call("GET", `/containers/${encodeURIComponent(id)}/json`);
    if (answer.status === 404) return undefined;
    return parseContainer(jsonOf(this.#checked(answer, `inspect container ${id}`)));
  }

  /**
   * The last lines that it printed since `sinceMs`, each with its time in front (RFC 3339). Empty if the engine does
   * not keep them (its log driver).
   */
  async log({ id, hasTerminal }: Container, sinceMs: number, lines: number): Promise<string> {
    const query = `stdout=1&stderr=1&timestamps=1&tail=${lines}&since=${seconds(sinceMs)}`;
    const answer = await this.#call("GET", `/containers/${id}/logs?${query}`);
    return answer.status === 200 ? textOfLog(answer.body, hasTerminal) : "";
  }

  /**
   * How it ended since; the engine keeps the last 256 events of all containers, three for every health check, and
   * none when it is restarted itself.
   */
  async events(id: string, sinceMs: number, untilMs: number): Promise<ContainerEvent[]> {
    const filters = encodeURIComponent(JSON.stringify({ container: [id], event: ENDS }));
    const query = `since=${seconds(sinceMs)}&until=${seconds(untilMs)}&filters=${filters}`;
    const answer = await this.#call("GET", `/events?${query}`);
    return answer.status === 200 ? parseEvents(answer.body.toString()) : [];
  }

  async start(id: string): Promise<void> {
    await this.#act(`/containers/${id}/start`, `start container ${id}`);
  }

  /** Stops it, as `docker stop` does, and starts it again. */
  async restart(id: string): Promise<void> {
    await this.#act(`/containers/${id}/restart`, `restart container ${id}`);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#act(`/containers/${id}/rename?name=${encodeURIComponent(name)}`, `rename container ${id}`);
  }

  async setRestartPolicy(id: string, { name, maxRetries }: RestartPolicy): Promise<void> {
    const body = { RestartPolicy: { Name: name === "" ? "no" : name, MaximumRetryCount: maxRetries } };
    await this.#act(`/containers/${id}/update`, `set the restart policy of container ${id}`, body);
  }

  async #json(path: string): Promise<unknown> {
    return jsonOf(this.#checked(await this.#call("GET", path), `ask for ${path.split("?")[0]}`));
  }

  async #act(path: string, what: string, body?: object): Promise<void> {
    this.#checked(await this.#call("POST", path, body), what);
  }

  #checked(answer: Answer, what: string): Answer {
    if (answer.status < 400) return answer; // 304: it was so already
    const { message } = jsonOf(answer) as { message?: unknown };
    const why = typeof message === "string" ? message : `HTTP ${answer.status}`;
    throw new ClawkitError("CONTROL_FAILED", `Cannot ${what}: the Docker Engine says: ${why}`);
  }

  async #call(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
    const limitMs = method === "GET" ? ASK_MS : ACT_MS;
    return await this.#request(method, `/${await this.#prefix()}${path}`, limitMs, body);
  }

  /**
   * The engine's own version of the API. Each engine knows a range (20.10 up to 1.41, 29 from 1.44 on), and a path
   * without a version is on its way out.
   */
  #prefix(): Promise<string> {
    this.#version ??= this.#request("GET", "/_ping", ASK_MS).then(({ headers }) => {
      const version = String(headers["api-version"] ?? "");
      if (/^\d+\.\d+$/.test(version)) return `v${version}`;
      throw new NoEngineAnswer(`what answers at ${describeEndpoint(this.endpoint)} is no Docker Engine`);
    });
    return this.#version;
  }

  #request(method: string, path: string, limitMs: number, body?: object): Promise<Answer> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const length = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const request = http.request({
        ...this.endpoint,
        method,
        path,
        agent: false,
        headers: { host: "docker", ...(body === undefined ? {} : length) },
        signal: AbortSignal.timeout(limitMs),
      });
      const fail = (error: Error) => reject(this.#unanswered(error, limitMs));
      request.once("error", fail);
      request.once("response", (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= MAX_BYTES) chunks.push(chunk);
          else response.destroy(new Error(`its answer is longer than ${MAX_BYTES} bytes`));
        });
        response.once("error", fail);
        response.once("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        });
      });
      request.end(text);
    });
  }

  #unanswered(error: Error, limitMs: number): Error {
    const at = describeEndpoint(this.endpoint);
    const code = systemErrorCode(error);
    if (code === "EACCES" || code === "EPERM") {
      return new NoEngineAnswer(
        `this user may not use ${at}: add yourself to the group docker (sudo usermod -aG docker $USER, then log in again), or run this with sudo`,
      );
    }
    const why = error.name === "AbortError" ? `no answer within ${limitMs} ms` : (code ?? error.message);
    const hint = code === "ECONNREFUSED" ? ": is it running? sudo systemctl status docker" : "";
    return new NoEngineAnswer(`the Docker Engine at ${at} does not answer (${why})${hint}`, { cause: error });
  }
}

function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return {};
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
