import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { type CommandResult, freePort, until } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { ask } from "../helpers/http.ts";
import type { TestHost } from "../helpers/network.ts";
import { endAllWith, Lab, plainEnvironment } from "./lab.ts";
import { openclawEntry } from "./openclaw-install.ts";

/** It takes 8 to 25 s here, more on a busy machine. */
const READY_MS = 120_000;

/** Where it writes its log whatever TMPDIR says: one folder for all gateways of a machine. */
const LOG_FOLDER = "/tmp/openclaw";

const TOKEN = "faults-token-0123456789abcdef";

export interface StartOptions {
  readonly env?: Record<string, string>;
  readonly at?: TestHost;
}

/** A machine with a plain OpenClaw, that has never seen ClawKit: a home, a log folder and a PATH of its own. */
export class OpenclawLab extends Lab {
  readonly home: string;
  readonly port: number;
  readonly #folder: string;

  private constructor(folder: string, port: number) {
    super();
    this.#folder = folder;
    this.home = join(folder, "home");
    this.port = port;
  }

  static async create(): Promise<OpenclawLab> {
    const lab = new OpenclawLab(await mkdtemp(join(tmpdir(), "clawkit-openclaw-")), await freePort());
    lab.defer(() => rm(lab.#folder, { recursive: true, force: true }));
    for (const folder of [lab.stateDir, lab.#bin, lab.#logs])
      await mkdir(folder, { recursive: true, mode: 0o700 });
    await lab.writeCommand({});
    await lab.writeConfig({});
    return lab;
  }

  get token(): string {
    return TOKEN;
  }

  /** The `openclaw` of this machine; its gateway has that much more in its environment. */
  async writeCommand(gatewayEnv: Record<string, string>): Promise<void> {
    const exports = assignments(gatewayEnv).map((assignment) => `export '${assignment}'`);
    const lines =
      exports.length === 0 ? [] : [`if [ "$1" = gateway ] && [ "$2" = run ]; then`, ...exports, "fi"];
    const exec = `exec '${process.execPath}' '${openclawEntry()}' "$@"`;
    await writeFile(this.commandPath, `${["#!/bin/sh", ...lines, exec].join("\n")}\n`);
    await chmod(this.commandPath, 0o755);
  }

  get commandPath(): string {
    return join(this.#bin, "openclaw");
  }

  /** From now on the home is the account's own here: only there does OpenClaw's `gateway start` do anything. */
  async ownAccount(): Promise<void> {
    const { uid } = userInfo();
    const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => {
      const fields = line.split(":");
      return fields[2] === String(uid) ? fields.with(5, this.home).join(":") : line;
    });
    await writeFile(this.#passwd, lines.join("\n"));
  }

  /** Runs a command of ClawKit to its end. */
  clawkit(...args: string[]): Promise<CommandResult> {
    return this.output([process.execPath, CLAWKIT, ...args], { env: { SHELL: "/bin/bash" } });
  }

  get stateDir(): string {
    return join(this.home, ".openclaw");
  }

  get configPath(): string {
    return join(this.stateDir, "openclaw.json");
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get env(): Record<string, string> {
    // with a compile cache of ours OpenClaw would start itself anew: that is a fault of its own
    const { NODE_COMPILE_CACHE: _, ...plain } = plainEnvironment(this.#bin, dirname(process.execPath));
    return { ...plain, HOME: this.home, CLAWKIT_STATE_DIR: join(this.home, "clawkit") };
  }

  /** Merges `gateway` over a mode, a port and a token; undefined removes a key. */
  async writeConfig(gateway: object, others: object = {}): Promise<void> {
    const all = { mode: "local", port: this.port, auth: { mode: "token", token: TOKEN }, ...gateway };
    await writeFile(this.configPath, JSON.stringify({ gateway: all, ...others }, null, 2), { mode: 0o600 });
  }

  /** Starts a gateway in the foreground of nobody: what it prints is lost, as in a terminal that was closed. */
  start(options: StartOptions = {}): ChildProcess {
    const { CLAWKIT_STATE_DIR: _, NO_COLOR: __, ...env } = this.env;
    const args = ["gateway", "run", "--port", String(this.port)];
    return this.spawn(
      ["env", "-i", ...assignments({ ...env, ...options.env }), this.commandPath, ...args],
      options,
    );
  }

  /** Starts one, and resolves when it is ready. */
  async run(options: StartOptions = {}): Promise<ChildProcess> {
    const gateway = this.start(options);
    const isReady = options.at === undefined ? () => this.isReady() : () => isReadyAt(options.at!, this.port);
    await until(async () => {
      if (gateway.exitCode !== null || gateway.signalCode !== null)
        throw new Error("the gateway did not come up");
      return (await isReady()) || undefined;
    }, READY_MS);
    return gateway;
  }

  /** Starts one that does not come up; resolves with its exit code. */
  async startInVain(options: StartOptions = {}): Promise<number | null> {
    const [code] = (await once(this.start(options), "exit", { signal: AbortSignal.timeout(READY_MS) })) as [
      number | null,
    ];
    return code;
  }

  /** Says how a command of OpenClaw ended. */
  asked(...args: string[]): Promise<CommandResult> {
    return this.output([this.commandPath, ...args]);
  }

  /** Runs a command of OpenClaw to its end. */
  async openclaw(...args: string[]): Promise<void> {
    const [code] = (await once(this.spawn([this.commandPath, ...args]), "exit")) as [number | null];
    if (code !== 0) throw new Error(`openclaw ${args.join(" ")} exited with ${code}`);
  }

  async isReady(): Promise<boolean> {
    const answer = await ask(this.port, "/readyz").catch(() => undefined);
    return answer?.status === 200;
  }

  /** Whether it takes a second or more to answer. */
  async isSilent(): Promise<boolean> {
    const answer = fetch(`http://127.0.0.1:${this.port}/healthz`, { signal: AbortSignal.timeout(1_000) });
    return await answer.then(
      () => false,
      (error: Error) => error.name === "TimeoutError",
    );
  }

  /** To start a gateway that can be made to go wrong from inside. */
  hooked(): StartOptions {
    const hooks = join(import.meta.dirname, "programs", "hooks.cjs");
    return { env: { NODE_OPTIONS: `--require=${hooks}`, FAULT_FILE: join(this.#folder, "fault") } };
  }

  /** Makes it go wrong in that way of `programs/hooks.cjs`. */
  async goWrong(way: "throw" | "reject" | "spin" | "spin-60s"): Promise<void> {
    const path = join(this.#folder, "fault");
    await writeFile(`${path}.new`, way);
    await rename(`${path}.new`, path);
  }

  logPath(name: string): string {
    return join(this.#logs, name);
  }

  /** The locks that a gateway holds while it lives, and leaves behind when it is killed. */
  async locks(): Promise<string[]> {
    const folder = join(this.stateDir, "tmp");
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    return names.filter((name) => /gateway\.[\w.-]*lock$/.test(name)).map((name) => join(folder, name));
  }

  protected override endProcesses(): Promise<void> {
    return endAllWith("HOME", this.home);
  }

  /** The log folder is the machine's: a mount of our own makes it this laboratory's. */
  protected override wrapped(command: readonly string[]): readonly string[] {
    mkdirSync(LOG_FOLDER, { recursive: true, mode: 0o700 });
    const account = existsSync(this.#passwd) ? `mount --bind '${this.#passwd}' /etc/passwd &&` : "";
    const script = `${account} mount --bind "$0" ${LOG_FOLDER} && exec "$@"`;
    return ["unshare", "--mount", "sh", "-c", script, this.#logs, ...command];
  }

  get #passwd(): string {
    return join(this.#folder, "passwd");
  }

  get #bin(): string {
    return join(this.#folder, "bin");
  }

  get #logs(): string {
    return join(this.#folder, "logs");
  }
}

/** Why no OpenClaw can have a machine of its own here; false if it can. */
export function whyNoOpenclaw(): string | false {
  if (process.platform !== "linux") return "mount namespaces are Linux's";
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "mount namespaces need root";
  }
}

function assignments(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function isReadyAt(host: TestHost, port: number): boolean {
  const script = `fetch("http://127.0.0.1:${port}/readyz").then((a) => console.log(a.status), () => console.log(0))`;
  return host.exec(process.execPath, "-e", script).trim() === "200";
}
