import { createHash, randomBytes } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import type { AfterEnd, GatewayRun, GatewayState, GatewayToSupervisor } from "../core/messages.ts";
import type { Clock, Log, SendSignal } from "../core/ports.ts";
import { describeEnd, describeExit, type ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import { type MemoryLook, memoryTrouble } from "../policy/memory.ts";
import { decideRestart, initialRestartState, type RestartState } from "../policy/restart.ts";
import { takeBlockedStack } from "./blocked-stack.ts";
import { Child } from "./child.ts";
import { findFreePort } from "./free-port.ts";
import type { NodeReport } from "./node-report.ts";
import type { ProcessWatch } from "./process-watch.ts";
import type { Runs } from "./runs.ts";
import { terminate } from "./terminate.ts";

export interface GatewayRunnerDeps {
  readonly runs: Runs;
  readonly host: Host;
  readonly reportsDir: string;
  readonly clean: (line: string) => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sendSignal: SendSignal;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node and its arguments that run the built-in gateway. */
  readonly node: string;
  readonly builtinArgs: readonly string[];
  readonly socketPathFor: (generation: number) => string;
  readonly removeSocket: (path: string) => void;
  readonly configPath: string;
  readonly logFile: string;
  readonly onLine: (stream: "out" | "err" | "end", line: string) => void;
  readonly onStarted: (run: GatewayRun) => void;
  readonly onEnded: (generation: number, end: ProcessEnd, after: AfterEnd) => void;
  readonly onRestartRequested: (reason: string) => void;
  /** Whether the process is stopped (SIGSTOP). */
  readonly isStopped: (pid: number) => Promise<boolean>;
}

/** How often a gateway's memory is compared with its limits. */
const MEMORY_LOOK_MS = 2_000;

/** Looks that are kept: more than `memoryTrouble` asks for. */
const MEMORY_LOOKS = 10;

/** Pause before a launch that failed is tried again. */
const RETRY_LAUNCH_MS = 1_000;

/** A gateway that cannot say goodbye within this time is not waited for. */
const ANNOUNCE_MS = 500;

/**
 * `stopped` → `running` → `waiting` (for a restart) → `running` …; `refused` after exit 78. A gateway that is not
 * supervised is `external`.
 */
export type RunnerState = "stopped" | "running" | "waiting" | "refused" | "external";

export interface LastExit {
  readonly at: string;
  readonly generation: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason: string;
  readonly lastLine?: string;
}

/** Starts the gateway, watches it, starts it again. */
export class GatewayRunner {
  readonly #deps: GatewayRunnerDeps;
  #config: Config;
  #state: RunnerState = "stopped";
  #generation: number;
  #child: Child | undefined;
  #restartState: RestartState;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastExit: LastExit | undefined;
  #endsInARow = 0;
  #isStopping = false;
  /** Changes with every start and stop: a launch that was overtaken notices. */
  #epoch = 0;
  #startedAt = 0;
  #onAnnounced: (() => void) | undefined;
  #ended: Promise<void> = Promise.resolve();
  #watch: ProcessWatch | undefined;
  #hangReport: NodeReport | undefined;
  #heap: { readonly usedBytes: number; readonly limitBytes: number } | undefined;
  #memoryTimer: NodeJS.Timeout | undefined;

  /** What the edge says of the gateway. */
  observed: GatewayState = "away";

  constructor(config: Config, lastGeneration: number, deps: GatewayRunnerDeps) {
    this.#config = config;
    this.#generation = lastGeneration;
    this.#deps = deps;
    this.#restartState = initialRestartState(deps.clock.now());
  }

  /** What `status` shows. */
  inspect() {
    return {
      state: this.#state,
      pid: this.#child?.isRunning ? this.#child.pid : undefined,
      generation: this.#generation,
      upMs: this.#state === "running" ? this.#deps.clock.now() - this.#startedAt : undefined,
      lastExit: this.#lastExit,
      endsInARow: this.#endsInARow,
    };
  }

  get isRefused(): boolean {
    return this.#state === "refused";
  }

  /** Starts with `config`, with a fresh budget. Resolves when the process was started, not when it is ready. */
  async start(config: Config): Promise<void> {
    this.#config = config;
    this.#isStopping = false;
    this.#endsInARow = 0;
    this.#restartState = initialRestartState(this.#deps.clock.now());
    await this.#launch();
  }

  async #launch(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const epoch = ++this.#epoch;
    this.observed = "away";
    const { upstream } = this.#config.gateway;
    if (upstream.type === "url") {
      this.#state = "external";
      const run = { generation: ++this.#generation, address: { kind: "url", url: upstream.url } } as const;
      this.#deps.onStarted(run);
      return;
    }
    const port = upstream.type === "command" ? await findFreePort() : undefined;
    if (epoch !== this.#epoch) return; // stopped, or started anew, meanwhile
    this.#generation++;
    this.#startedAt = this.#deps.clock.now();
    const { child, run, command } =
      upstream.type === "builtin" ? this.#spawnBuiltin() : this.#spawnCommand(upstream.command, port!);
    this.#child = child;
    this.#state = "running";
    this.#deps.log(`gateway started: generation ${run.generation}, pid ${child.pid ?? "none"}`);
    this.#ended = this.#follow(child, run, command);
  }

  /** The edge says the gateway of `generation` is in this state. */
  noteState(generation: number, state: GatewayState): void {
    if (generation !== this.#generation) return;
    if (state === "ready" && this.observed !== "ready") {
      if (this.#child?.pid !== undefined) this.#deps.runs.ready("gateway", generation, this.#child.pid);
      this.#deps.log(`gateway ready: generation ${generation}`);
      this.#endsInARow = 0;
    }
    this.observed = state;
  }

  /**
   * Has the built-in gateway tell its clients that its end is planned, before the edge closes them. Resolves when
   * they were told, or when a hung gateway had its chance.
   */
  async announceShutdown(reason: string, restartExpectedMs?: number): Promise<void> {
    if (this.#config.gateway.upstream.type !== "builtin" || !this.#child?.isRunning) return;
    const announced = Promise.withResolvers<void>();
    this.#onAnnounced = announced.resolve;
    this.#child.send({
      type: "announce-shutdown",
      reason,
      ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }),
    });
    const timer = setTimeout(announced.resolve, ANNOUNCE_MS);
    await announced.promise;
    clearTimeout(timer);
  }

  /** Ends the process because it hangs; it then starts again. A stopped process can't act on SIGTERM. */
  async endHung(generation: number, why: string): Promise<void> {
    const child = this.#child;
    if (generation !== this.#generation || child?.pid === undefined) return;
    child.blame("supervisor", why);
    this.#deps.log(`ending the gateway: ${why}`);
    const isStopped = await this.#deps.isStopped(child.pid);
    if (!isStopped) this.#hangReport = await takeBlockedStack(child, this.#deps.host);
    await terminate(child, isStopped ? 0 : this.#graceMs);
  }

  /** Ends the process for good, or until `start`. */
  async stop(): Promise<void> {
    this.#epoch++;
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child !== undefined) {
      child.blame("operator");
      const isBuiltin = this.#config.gateway.upstream.type === "builtin";
      await terminate(child, this.#graceMs, isBuiltin ? () => child.send({ type: "stop" }) : undefined);
    }
    await this.#ended;
    this.#state = "stopped";
  }

  get #graceMs(): number {
    return this.#config.supervisor.stopGraceSec * 1000;
  }

  /** A limit in the command's own arguments wins over ours. */
  get #environment() {
    const { env } = this.#deps;
    const { heapMb } = this.#config.supervisor;
    if (heapMb === undefined) return env;
    const options = `${env.NODE_OPTIONS ?? ""} --max-old-space-size=${heapMb}`.trim();
    return { ...env, NODE_OPTIONS: options };
  }

  #spawnBuiltin(): { child: Child; run: GatewayRun; command: string } {
    const deps = this.#deps;
    const generation = this.#generation;
    const path = deps.socketPathFor(generation);
    const edgeKey = randomBytes(32).toString("hex");
    const { port, auth } = this.#config.gateway;
    const secret = auth.mode === "token" ? auth.token : auth.mode === "password" ? auth.password : undefined;
    const child = new Child({
      command: deps.node,
      args: deps.builtinArgs,
      // so that the playbook's `ps aux | grep "openclaw gateway"` finds a line exactly when a gateway is there
      argv0: "openclaw gateway",
      env: this.#environment,
      ipc: true,
      ownGroup: true,
      reportsDir: deps.reportsDir,
      clean: deps.clean,
      onLine: deps.onLine,
      onMessage: (message) => this.#onMessage(message as GatewayToSupervisor),
      sendSignal: deps.sendSignal,
    });
    child.send({
      type: "start",
      settings: {
        socketPath: path,
        port,
        auth: { mode: auth.mode, ...(secret === undefined ? {} : { secret }) },
        edgeKey,
        generation,
        configPath: deps.configPath,
        logFile: deps.logFile,
      },
    });
    const run: GatewayRun = {
      generation,
      address: { kind: "socket", path },
      edgeKey,
      ...(child.pid === undefined ? {} : { pid: child.pid }),
    };
    return { child, run, command: "built-in gateway" };
  }

  #spawnCommand(
    command: readonly string[],
    port: number,
  ): { child: Child; run: GatewayRun; command: string } {
    const deps = this.#deps;
    const generation = this.#generation;
    const [program, ...args] = command.map((part) => part.replaceAll("{port}", String(port)));
    const child = new Child({
      command: program!,
      args,
      env: { ...this.#environment, PORT: String(port) },
      ipc: false,
      ownGroup: true,
      reportsDir: deps.reportsDir,
      clean: deps.clean,
      onLine: deps.onLine,
      sendSignal: deps.sendSignal,
    });
    const run: GatewayRun = {
      generation,
      address: { kind: "url", url: `ws://127.0.0.1:${port}` },
      ...(child.pid === undefined ? {} : { pid: child.pid }),
    };
    return { child, run, command: command.join(" ") };
  }

  #onMessage(message: GatewayToSupervisor): void {
    if (message.type === "shutdown-announced") this.#onAnnounced?.();
    if (message.type === "memory") {
      this.#heap = { usedBytes: message.heapUsedBytes, limitBytes: message.heapLimitBytes };
      this.#watch?.noteHeap(message.heapUsedBytes);
    }
    if (message.type === "restart-requested") this.#deps.onRestartRequested(message.reason);
  }

  async #follow(child: Child, run: GatewayRun, command: string): Promise<void> {
    const deps = this.#deps;
    this.#heap = undefined;
    const { end, uptimeMs } = await deps.runs.follow("gateway", {
      generation: run.generation,
      child,
      command,
      ownGroup: true,
      configHash: hashOf(this.#config),
      onWatch: (watch) => {
        this.#watch = watch;
        this.#watchMemory(watch);
      },
      onRecorded: () => deps.onStarted(run),
      hangReport: () => this.#takeHangReport(),
    });
    clearInterval(this.#memoryTimer);
    if (run.address.kind === "socket") deps.removeSocket(run.address.path);
    const reason = describeEnd(end);
    const lastLine = child.lastLines.at(-1);
    this.#lastExit = {
      at: new Date(deps.clock.wall()).toISOString(),
      generation: run.generation,
      code: end.code,
      signal: end.signal,
      reason,
      ...(lastLine === undefined ? {} : { lastLine }),
    };
    this.observed = "away";
    if (!this.#isStopping) this.#endsInARow++;
    const after = this.#decide(end, uptimeMs);
    deps.onLine(
      "end",
      `gateway ended: ${describeExit(end)} (generation ${run.generation}, pid ${child.pid ?? "none"})`,
    );
    deps.log(`gateway ended: ${reason}; ${describeAfter(after)}`);
    deps.onEnded(run.generation, end, after);
  }

  #takeHangReport(): NodeReport | undefined {
    const report = this.#hangReport;
    this.#hangReport = undefined;
    return report;
  }

  /** With `supervisor.memoryRestart` a gateway that will run out of memory is restarted while it still can say so. */
  #watchMemory(watch: ProcessWatch): void {
    clearInterval(this.#memoryTimer);
    if (!this.#config.supervisor.memoryRestart) return;
    const looks: MemoryLook[] = [];
    this.#memoryTimer = setInterval(async () => {
      const cgroup = await watch.cgroupNow();
      looks.push({ heap: this.#heap, cgroup });
      if (looks.length > MEMORY_LOOKS) looks.shift();
      const trouble = memoryTrouble(looks);
      if (trouble === undefined) return;
      clearInterval(this.#memoryTimer);
      this.#deps.onRestartRequested(trouble);
    }, MEMORY_LOOK_MS);
  }

  /** A launch that fails (no port, no memory) is tried again: nothing else would bring the gateway back. */
  #launchLater(delayMs: number): void {
    this.#restartTimer = setTimeout(() => {
      this.#launch().catch((error) => {
        this.#deps.log(`cannot start the gateway: ${messageOf(error)}`);
        this.#launchLater(RETRY_LAUNCH_MS);
      });
    }, delayMs);
  }

  #decide(end: ProcessEnd, uptimeMs: number): AfterEnd {
    if (this.#isStopping) {
      this.#state = "stopped";
      return { kind: "stopped" };
    }
    const [next, decision] = decideRestart(
      this.#restartState,
      { end, uptimeMs, now: this.#deps.clock.now() },
      this.#deps.random,
    );
    this.#restartState = next;
    if (decision.kind === "refused") {
      this.#state = "refused";
      return { kind: "refused", message: this.#lastExit?.lastLine ?? "exit code 78" };
    }
    this.#state = "waiting";
    this.#launchLater(decision.delayMs);
    return { kind: "restart", delayMs: decision.delayMs };
  }
}

/** Two configs with the same hash are the same; a hash says nothing of the secrets in it. */
function hashOf(config: Config): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 12);
}

function describeAfter(after: AfterEnd): string {
  switch (after.kind) {
    case "restart":
      return after.delayMs === 0 ? "starting it again" : `starting it again in ${after.delayMs} ms`;
    case "refused":
      return "not starting it again until the config changes or a restart is asked for";
    case "stopped":
      return "as asked";
  }
}
