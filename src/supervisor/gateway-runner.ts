import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import type { AfterEnd, GatewayRun, GatewayState } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { describeEnd, describeExit, type ProcessEnd } from "../core/process-end.ts";
import type { RunRecord } from "../core/run-record.ts";
import {
  decideRestart,
  initialRestartState,
  OPENCLAW_BREAKER,
  type RestartState,
  uncleanStartsIn,
} from "../policy/restart.ts";
import type { Child } from "./child.ts";
import { GatewayLife, type GatewayLifeDeps } from "./gateway-life.ts";
import { launchBuiltin } from "./launch/builtin.ts";
import { prepareCommand } from "./launch/command.ts";
import { prepareOpenclaw } from "./launch/openclaw.ts";
import type { Launch } from "./launch/types.ts";
import { OpenclawCare } from "./openclaw-care.ts";
import { type Gentleness, terminate } from "./terminate.ts";

export interface GatewayRunnerDeps extends GatewayLifeDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly removeSocket: (path: string) => void;
  readonly onStarted: (run: GatewayRun) => void;
  readonly onEnded: (generation: number, end: ProcessEnd, after: AfterEnd) => void;
  /** Whether the process is stopped (SIGSTOP). */
  readonly isStopped: (pid: number) => Promise<boolean>;
}

/** Pause before a launch that failed is tried again. */
const RETRY_LAUNCH_MS = 1_000;

/** A restart of OpenClaw in its own process takes 4 s and more; while it lasts SIGTERM is ignored. */
const OPENCLAW_REPEAT_MS = 2_000;

/** A gateway that hung and still answers nothing after this time has no use for the time that its work may take. */
const HUNG_GRACE_MS = 30_000;

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
  #life: GatewayLife | undefined;
  #restartState: RestartState;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastExit: LastExit | undefined;
  #endsInARow = 0;
  #isStopping = false;
  /** Changes with every start and stop: a launch that was overtaken notices. */
  #epoch = 0;
  #startedAt = 0;
  #ended: Promise<void> = Promise.resolve();
  readonly #openclaw: OpenclawCare;
  /** The gateway is no longer ready: it restarts in its process, or ended. */
  #left = Promise.withResolvers<void>();

  /** What the edge says of the gateway. */
  observed: GatewayState = "away";

  /** `records` are of the lives before. */
  constructor(config: Config, records: readonly RunRecord[], deps: GatewayRunnerDeps) {
    const now = deps.clock.now();
    this.#config = config;
    this.#generation = records.reduce((max, record) => Math.max(max, record.generation), 0);
    this.#deps = deps;
    this.#openclaw = new OpenclawCare(deps);
    this.#restartState = initialRestartState(now, uncleanStartsIn(records, { now, wall: deps.clock.wall() }));
  }

  /** What `status` shows. */
  inspect() {
    return {
      state: this.#state,
      pid: this.#life?.isRunning ? this.#life.child.pid : undefined,
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
    this.#openclaw.begin();
    // OpenClaw goes on counting its unclean starts, whoever asked for this one
    this.#restartState = initialRestartState(this.#deps.clock.now(), this.#restartState.uncleanStarts);
    try {
      await this.#launch();
    } catch (error) {
      this.#state = "waiting";
      this.#launchLater(RETRY_LAUNCH_MS);
      throw error;
    }
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
    const launch = await this.#prepare(upstream);
    if (epoch !== this.#epoch) return; // stopped, or started anew, meanwhile
    this.#generation++;
    this.#startedAt = this.#deps.clock.now();
    const life = new GatewayLife(launch, this.#config, this.#generation, this.#deps);
    this.#life = life;
    this.#state = "running";
    this.#deps.log(`gateway started: generation ${this.#generation}, pid ${life.child.pid ?? "none"}`);
    void life.recorded.then(() => this.#deps.onStarted(life.run));
    this.#ended = this.#follow(life);
  }

  async #prepare(upstream: Exclude<Config["gateway"]["upstream"], { type: "url" }>): Promise<Launch> {
    switch (upstream.type) {
      case "builtin":
        return launchBuiltin;
      case "command":
        return await prepareCommand({ words: upstream.command });
      case "openclaw":
        return await prepareOpenclaw(upstream, this.#deps.openclawSearch);
    }
  }

  /** The edge says the gateway of `generation` is in this state. */
  noteState(generation: number, state: GatewayState): void {
    if (generation !== this.#generation) return;
    if (state === "ready" && this.observed !== "ready") {
      const pid = this.#life?.child.pid;
      if (pid !== undefined) this.#deps.runs.ready("gateway", generation, pid);
      this.#deps.log(`gateway ready: generation ${generation}`);
      this.#endsInARow = 0;
      this.#openclaw.begin();
    }
    this.observed = state;
    if (state === "starting" || state === "away") this.#noteLeft();
  }

  #noteLeft(): void {
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /**
   * Has the built-in gateway tell its clients that its end is planned, before the edge closes them. Resolves when
   * they were told, or when a hung gateway had its chance.
   */
  async announceShutdown(reason: string, restartExpectedMs?: number): Promise<void> {
    if (this.#config.gateway.upstream.type !== "builtin" || !this.#life?.isRunning) return;
    await this.#life.announceShutdown(reason, restartExpectedMs);
  }

  /**
   * Has a living OpenClaw restart by itself, which loses no work of it: it tells its clients and is back within
   * seconds, in the same process. Resolves when it went; false where that is not possible.
   */
  async restartSafely(): Promise<boolean> {
    const { upstream } = this.#config.gateway;
    if (upstream.type !== "openclaw" || this.observed !== "ready") return false;
    // it may be away before its command line is done
    return await this.#openclaw.restart(upstream, this.#left.promise, this.#graceMs);
  }

  /** Ends what OpenClaw's own commands do at the moment, and the wait for it. */
  abandonUpkeep(): void {
    this.#openclaw.abandon();
  }

  /** Ends the process because it hangs; it then starts again. A stopped process can't act on SIGTERM. */
  async endHung(generation: number, why: string): Promise<void> {
    const life = this.#life;
    if (generation !== this.#generation || life?.child.pid === undefined) return;
    const { child } = life;
    child.blame("supervisor", why);
    this.#deps.log(`ending the gateway: ${why}`);
    const isStopped = await this.#deps.isStopped(life.child.pid);
    if (!isStopped) await life.noteHang();
    await this.#terminate(child, { ...this.#gentleness, ...(isStopped ? { graceMs: 0 } : {}) });
  }

  /** Ends the process for good, or until `start`. */
  async stop(): Promise<void> {
    this.#epoch++;
    this.#isStopping = true;
    this.abandonUpkeep();
    clearTimeout(this.#restartTimer);
    const child = this.#life?.child;
    if (child !== undefined) {
      child.blame("operator");
      const isBuiltin = this.#config.gateway.upstream.type === "builtin";
      const ask = isBuiltin ? { ask: () => void child.send({ type: "stop" }) } : {};
      await this.#terminate(child, { ...this.#gentleness, ...ask });
    }
    await this.#ended;
    this.#state = "stopped";
  }

  async #terminate(child: Child, gentleness: Gentleness): Promise<void> {
    const timer = setTimeout(() => {
      // one that was busy and came to itself finishes its work
      if (child === this.#life?.child && this.observed === "hung") child.signal("SIGKILL");
    }, HUNG_GRACE_MS);
    await terminate(child, gentleness);
    clearTimeout(timer);
  }

  get #gentleness(): Gentleness {
    const isOpenclaw = this.#config.gateway.upstream.type === "openclaw";
    return { graceMs: this.#graceMs, ...(isOpenclaw ? { repeatMs: OPENCLAW_REPEAT_MS } : {}) };
  }

  get #graceMs(): number {
    return this.#config.supervisor.stopGraceSec * 1000;
  }

  async #follow(life: GatewayLife): Promise<void> {
    const { end, uptimeMs } = await life.ended;
    const { child, run } = life;
    const deps = this.#deps;
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
    this.#noteLeft();
    if (!this.#isStopping) this.#endsInARow++;
    const after = this.#decide(end, uptimeMs);
    deps.onLine(
      "end",
      `gateway ended: ${describeExit(end)} (generation ${run.generation}, pid ${child.pid ?? "none"})`,
    );
    deps.log(`gateway ended: ${reason}; ${describeAfter(after)}`);
    deps.onEnded(run.generation, end, after);
    const { upstream } = this.#config.gateway;
    if (upstream.type === "openclaw" && end.code === 0 && end.by === "itself" && child.pid !== undefined) {
      await this.#openclaw.takeHandoff(upstream, child.pid);
    }
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
    const { upstream } = this.#config.gateway;
    const [next, decision] = decideRestart(
      this.#restartState,
      { end, uptimeMs, now: this.#deps.clock.now() },
      this.#deps.random,
      upstream.type === "openclaw" ? OPENCLAW_BREAKER : undefined,
    );
    this.#restartState = next;
    if (decision.kind === "refused" && upstream.type === "openclaw" && this.#openclaw.mayRepair(upstream)) {
      this.#state = "waiting";
      const epoch = this.#epoch;
      void this.#openclaw.repair(upstream).then(() => epoch === this.#epoch && this.#launchLater(0));
      return { kind: "restart", delayMs: 0 };
    }
    if (decision.kind === "refused") {
      this.#state = "refused";
      return { kind: "refused", message: this.#lastExit?.lastLine ?? "exit code 78" };
    }
    this.#state = "waiting";
    this.#launchLater(decision.delayMs);
    return { kind: "restart", delayMs: decision.delayMs };
  }
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
