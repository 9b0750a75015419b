import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { callControl } from "../../src/cli/control-client.ts";
import { socketPath, statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = join(ROOT, "src/bin/clawkit.ts");

export const TOKEN = "test-token-0123456789abcdef";

/** A program of `test/fixtures/programs`, as a `command` upstream. */
export function program(name: string, ...args: string[]): string[] {
  return [process.execPath, join(ROOT, "test/fixtures/programs", `${name}.ts`), ...args];
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One state directory with its own port: everything a test does to ClawKit goes through it. */
export class TestClawkit implements AsyncDisposable {
  readonly port: number;
  readonly stateDir: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(stateDir: string, port: number) {
    this.stateDir = stateDir;
    this.port = port;
  }

  /** Writes a config (an object, merged over a token and a free port) and starts nothing. */
  static async create(
    config: { gateway?: object; supervisor?: object; logs?: object; alerts?: object; console?: object } = {},
  ): Promise<TestClawkit> {
    const stateDir = await mkdtemp(join(tmpdir(), "clawkit-test-"));
    const clawkit = new TestClawkit(stateDir, await freePort());
    await clawkit.writeConfig(config);
    return clawkit;
  }

  /** Creates and runs it in the foreground; resolves when clients are served. */
  static async run(config: Parameters<typeof TestClawkit.create>[0] = {}): Promise<TestClawkit> {
    const clawkit = await TestClawkit.create(config);
    await clawkit.runForeground();
    await clawkit.ready();
    return clawkit;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get configPath(): string {
    return statePaths(this.stateDir).config;
  }

  get env(): NodeJS.ProcessEnv {
    const {
      OPENCLAW_GATEWAY_TOKEN: _a,
      CLAWKIT_GATEWAY_TOKEN: _b,
      CLAWKIT_GATEWAY_PORT: _c,
      ...env
    } = process.env;
    return { ...env, CLAWKIT_STATE_DIR: this.stateDir, NO_COLOR: "1" };
  }

  async writeConfig(config: {
    gateway?: object;
    supervisor?: object;
    logs?: object;
    alerts?: object;
    console?: object;
  }): Promise<void> {
    const gateway = { port: this.port, auth: { mode: "token", token: TOKEN }, ...config.gateway };
    await writeFile(this.configPath, JSON.stringify({ ...config, gateway }), { mode: 0o600 });
  }

  /** Runs a command line to its end. */
  cli(...args: string[]): Promise<CommandResult> {
    return this.spawnAndWait(process.execPath, [ENTRY, ...args]);
  }

  spawnAndWait(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<CommandResult> {
    const child = spawn(command, args, { env: { ...this.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    return collect(child).finally(() => this.#children.delete(child));
  }

  /** Starts a command line that goes on, such as `logs --follow`. */
  spawnCli(...args: string[]): ChildProcess {
    return this.#spawnEntry(args, {});
  }

  #spawnEntry(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(process.execPath, [ENTRY, ...args], {
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    return child;
  }

  /** Runs `gateway run`; resolves once the supervisor answers. */
  async runForeground(env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const child = this.#spawnEntry(["gateway", "run"], env);
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (output += chunk));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    let isOver = false;
    void ended.then(() => (isOver = true));
    const deadline = performance.now() + 30_000;
    while ((await this.control({ op: "status" }).catch(() => undefined)) === undefined) {
      if (performance.now() > deadline) throw new Error(`gateway run does not answer:\n${output}`);
      if (isOver) throw new Error(`gateway run ended at once:\n${output}`);
      await sleep(20);
    }
    return child;
  }

  control(
    request: Parameters<typeof callControl>[1],
    progress: (text: string) => void = () => undefined,
  ): Promise<Status | undefined> {
    const path = socketPath(this.stateDir, "control", process.platform, tmpdir());
    return callControl(path, request, progress);
  }

  async ready(): Promise<Status> {
    return (await this.control({ op: "wait-ready" }))!;
  }

  async status(): Promise<Status> {
    return (await this.control({ op: "status" }))!;
  }

  /** Polls the status until it is as wanted; for states that nothing announces. */
  async untilStatus(wanted: (status: Status) => boolean, timeoutMs = 30_000): Promise<Status> {
    return await until(async () => {
      const status = await this.control({ op: "status" }).catch(() => undefined);
      return status !== undefined && wanted(status) ? status : undefined;
    }, timeoutMs);
  }

  runLog(): Promise<string> {
    return readFile(statePaths(this.stateDir).runLog, "utf8");
  }

  /** Stops everything and removes the state directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli("gateway", "stop");
    for (const child of this.#children) child.kill("SIGKILL");
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

export function collect(child: ChildProcess): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Repeats `look` until it returns something; throws after the time limit. */
export async function until<T>(
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error(`not reached within ${timeoutMs} ms: ${look}`);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Below the ephemeral range, which the system gives to outgoing connections and to other tests' servers. */
const LOWEST_PORT = 20_000;
const PORTS_PER_PROCESS = 60;
const SLOTS = 200;

let nextPort = 0;

/**
 * A port of this test process's own: a port that is only found free is found by two at once, and two sockets may be
 * bound to it as long as neither listens.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = LOWEST_PORT + (process.pid % SLOTS) * PORTS_PER_PROCESS + (nextPort++ % PORTS_PER_PROCESS);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = net.createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
