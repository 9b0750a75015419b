import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playbooksDir } from "../../src/bin/entries.ts";
import { defaultConfig } from "../../src/config/parse.ts";
import type { Config } from "../../src/config/schema.ts";
import { API_PREFIX } from "../../src/control/contract.ts";
import type { ControlDeps } from "../../src/control/deps.ts";
import { ControlServer, type ControlServerOptions } from "../../src/control/server.ts";
import type { Status } from "../../src/core/control.ts";
import type { EdgeQuestion } from "../../src/core/messages.ts";
import { MemoryStore } from "../../src/recorder/memory-store.ts";
import { type Answer, type AskOptions, ask } from "./http.ts";

export const TOKEN = "the-gateway-token-0123456789";

const STATUS: Status = {
  state: "healthy",
  port: 18789,
  url: "ws://127.0.0.1:18789",
  supervisor: { pid: 1, upMs: 60_000, version: "0" },
  edge: { pid: 2, held: 0 },
  gateway: { pid: 3, state: "ready", generation: 1, upMs: 60_000, lastExit: null, endsInARow: 0 },
  connections: 5,
  networkTimers: [],
};

/** A control server on a port of its own, with a store and an edge that the test sees into. */
export class ControlRig implements AsyncDisposable {
  readonly store = new MemoryStore();
  readonly asked: EdgeQuestion[] = [];
  readonly logged: string[] = [];
  readonly time = { now: 1_000_000, wall: Date.parse("2026-11-22T10:00:00Z") };
  readonly server: ControlServer;
  readonly deps: ControlDeps;
  readonly stateDir: string;
  config: Config = withToken(defaultConfig());
  status: Status = STATUS;
  port = 0;
  #session: { cookie: string; csrf: string } | undefined;

  private constructor(stateDir: string, changes: Partial<ControlDeps>, idle: ControlServerOptions["idle"]) {
    this.stateDir = stateDir;
    this.deps = {
      mode: "edge",
      clock: { now: () => this.time.now, wall: () => this.time.wall },
      log: (text) => this.logged.push(text),
      platform: "linux",
      home: "/home/u",
      variables: ["PATH", "OPENCLAW_GATEWAY_TOKEN"],
      logsDir: join(stateDir, "logs"),
      stateDir,
      feedbackPath: join(stateDir, "feedback.jsonl"),
      playbooksDir: playbooksDir(),
      pagesDir: join(stateDir, "pages"),
      config: async () => this.config,
      status: async () => this.status,
      askEdge: async (question) => {
        this.asked.push(question);
        if (question.kind === "close-link") return { kind: "link-closed", wasOpen: question.link === "e-1" };
        return question.kind === "links"
          ? { kind: "links", page: { total: 0, links: [] } }
          : { kind: "noted" };
      },
      records: async (use) => use(this.store),
      clawkit: async () => ({ exitCode: 0, stdout: "{}", stderr: "" }),
      time: (ms) => new Date(ms).toISOString(),
      duration: (ms) => `${ms} ms`,
      ...changes,
    };
    this.server = new ControlServer(this.deps, {
      front: { isTls: false, isBehindEdge: false, allowFrom: [], hosts: [] },
      ...(idle === undefined ? {} : { idle }),
    });
  }

  static async start(
    changes: Partial<ControlDeps> = {},
    idle?: ControlServerOptions["idle"],
  ): Promise<ControlRig> {
    const rig = new ControlRig(await mkdtemp(join(tmpdir(), "clawkit-control-")), changes, idle);
    rig.port = await rig.server.listenOnLoopback(0);
    return rig;
  }

  /** One request to the API, with headers that a browser would send; its answer read as JSON. */
  async api<T = { error: { code: string; message: string } }>(
    path: string,
    options: Omit<AskOptions, "headers" | "body"> & { headers?: Record<string, string>; json?: unknown } = {},
  ): Promise<Answer & { json: T }> {
    const { json, headers = {}, ...rest } = options;
    const type = json === undefined ? {} : { "Content-Type": "application/json" };
    const answer = await ask(this.port, API_PREFIX + path, {
      ...rest,
      headers: { Host: `127.0.0.1:${this.port}`, ...type, ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return { ...answer, json: JSON.parse(answer.body.toString()) as T };
  }

  /** Signs in with a one-time code, once; returns the headers of who is signed in. */
  async signedIn(): Promise<Record<string, string>> {
    if (this.#session === undefined) {
      const { json, headers } = await this.api<{ csrf: string }>("/session", {
        method: "POST",
        json: { code: this.server.issueCode() },
      });
      this.#session = { cookie: headers["set-cookie"]![0]!.split(";")[0]!, csrf: json.csrf };
    }
    return { Cookie: this.#session.cookie, "X-Clawkit-Csrf": this.#session.csrf };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.stop();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

export function withToken(config: Config): Config {
  return { ...config, gateway: { ...config.gateway, auth: { mode: "token", token: TOKEN } } };
}
