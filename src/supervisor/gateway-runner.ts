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
import { untilPrepared } from "./hand-over.ts";
import { launchBuiltin } from "./launch/builtin.ts";
import { prepareCommand } from "./launch/command.ts";
import { prepareOpenclaw } from "./launch/openclaw.ts";
import type { Launch } from "./launch/types.ts";
import { OpenclawCare } from "./openclaw-care.ts";
import { type Gentleness, terminate } from "./terminate.ts";
import { isWithin } from "./within.ts";

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

/** The next gateway is there already, or about to be. */
const TAKEN_OVER: AfterEnd = { kind: "restart", delayMs: 0 };

/** A gateway that opens its journal takes milliseconds; one that takes longer the edge asks again and again. */
const LISTEN_MS = 500;

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
  /** Is prepared to take over from the one that runs. */
  #next: GatewayLife | undefined;
  #newestGeneration: number;
  #restartState: RestartState;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastExit: LastExit | undefined;
  #lastEnd: ProcessEnd | undefined;
  #endsInARow = 0;
  #isStopping = false;
  /** Changes with every start and stop: a launch that was overtaken notices. */
  #epoch = 0;
  #startedAt = 0;
  #ended: Promise<void> = Promise.resolve();
  /** The gateway before the newest has let go of the journal. Its end, if that is how. */
  #letGo: Promise<ProcessEnd | undefined> = Promise.resolve(undefined);
  readonly #openclaw: OpenclawCare;
  /** Of what a stop does not wait for. */
  #abort = new AbortController();
  /** The gateway is no longer ready: it restarts in its process, or ended. */
  #left = Promise.withResolvers<void>();

  /** What the edge says of the gateway. */
  observed: GatewayState = "away";

  /** `records` are of the lives before. */
  constructor(config: Config, records: readonly RunRecord[], deps: GatewayRunnerDeps) {
    const now = deps.clock.now();
    this.#config = config;
    this.#generation = records.reduce((max, record) => Math.max(max, record.generation), 0);
    this.#newestGeneration = this.#generation;
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
      troubles: this.#life?.troubles ?? [],
    };
  }

  get isRefused(): boolean {
    return this.#state === "refused";
  }

  /** Starts with `config`, with a fresh budget. Resolves when the process was started, not when it is ready. */
  async start(config: Config): Promise<void> {
    this.#isStopping = false;
    this.#beginAnew(config);
    try {
      await this.#launch();
    } catch (error) {
      this.#state = "waiting";
      this.#launchLater(RETRY_LAUNCH_MS);
      throw error;
    }
  }

  #beginAnew(config: Config): void {
    this.#config = config;
    this.#endsInARow = 0;
    this.#openclaw.begin();
    // OpenClaw goes on counting its unclean starts, whoever asked for this one
    this.#restartState = initialRestartState(this.#deps.clock.now(), this.#restartState.uncleanStarts);
  }

  async #launch(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const epoch = ++this.#epoch;
    this.observed = "away";
    const { upstream } = this.#config.gateway;
    if (upstream.type === "url") {
      this.#state = "external";
      this.#generation = ++this.#newestGeneration;
      this.#deps.onStarted({ generation: this.#generation, address: { kind: "url", url: upstream.url } });
      return;
    }
    const launch = await this.#prepare(upstream);
    if (epoch !== this.#epoch) return; // stopped, or started anew, meanwhile
    const life = this.#begin(launch, this.#config, "gateway");
    this.#run(life);
    // one that was to take over may have ended before that
    await this.#letGo;
    if (this.#life !== life || !life.isRunning) return;
    life.open(this.#lastEnd);
    void life.recorded.then(() => this.#deps.onStarted(life.run));
  }

  #begin(launch: Launch, config: Config, who: string): GatewayLife {
    const life = new GatewayLife(launch, config, ++this.#newestGeneration, this.#deps);
    this.#deps.log(`${who} started: generation ${life.generation}, pid ${life.child.pid ?? "none"}`);
    this.#ended = Promise.all([this.#ended, this.#follow(life)]).then(() => undefined);
    return life;
  }

  #run(life: GatewayLife): void {
    this.#life = life;
    this.#generation = life.generation;
    this.#startedAt = this.#deps.clock.now();
    this.#state = "running";
  }

  /** Whether the next gateway can be prepared beside the one that runs: both are the built-in one, and there is memory. */
  async canHandOver(config: Config): Promise<boolean> {
    const isBuiltin = [this.#config, config].every(({ gateway }) => gateway.upstream.type === "builtin");
    if (!isBuiltin || this.#life === undefined) return false;
    const hasRoom = await this.#life.hasRoomBeside(config.gateway.modules.length);
    // one that ended meanwhile is about to be started again
    return hasRoom && this.#life.isRunning;
  }

  /**
   * Replaces the gateway by one that has loaded its code before: clients wait from `hold` on, until the one has let go of the journal and the
   * other has opened it. Throws if the next one cannot be prepared: nothing was done then.
   */
  async handOver(config: Config, hold: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    const last = this.#life!;
    const lastEnded = this.#ended;
    const next = this.#begin(launchBuiltin, config, "next gateway");
    this.#next = next;
    try {
      await untilPrepared(next, config.supervisor.startTimeoutSec, signal);
      await hold();
    } catch (error) {
      await this.#dropNext(next, !signal.aborted);
      throw error;
    }
    if (!next.isRunning) {
      await this.stop();
      this.#next = undefined;
      return await this.start(config);
    }
    this.#next = undefined;
    this.observed = "away";
    this.#beginAnew(config);
    this.#run(next);
    const gone = this.#askToEnd(last.child);
    this.#letGo = Promise.race([last.released.then(() => undefined), last.child.ended]);
    next.open(await this.#letGo);
    await Promise.all([gone, lastEnded]);
    await isWithin(Promise.race([next.listening, next.child.ended]), LISTEN_MS, signal);
    // one that ended already has its successor
    if (this.#life === next && next.isRunning) this.#deps.onStarted(next.run);
  }

  /** It holds nothing yet. */
  async #dropNext(next: GatewayLife, goesOn: boolean): Promise<void> {
    next.child.blame("operator");
    next.child.signal("SIGKILL");
    await next.ended;
    this.#next = undefined;
    // the one that ran ended meanwhile, and left it to this one to follow
    if (goesOn && this.#state === "waiting") this.#launchLater(0);
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

  /** Ends what is done for a restart before anything is stopped: OpenClaw's own commands, the next gateway. */
  abandonRestart(): void {
    this.#openclaw.abandon();
    this.#abort.abort();
    this.#abort = new AbortController();
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
    this.abandonRestart();
    clearTimeout(this.#restartTimer);
    if (this.#life !== undefined) await this.#askToEnd(this.#life.child);
    await this.#ended;
    this.#state = "stopped";
  }

  async #askToEnd(child: Child): Promise<void> {
    child.blame("operator");
    const isBuiltin = this.#config.gateway.upstream.type === "builtin";
    const ask = isBuiltin ? { ask: () => void child.send({ type: "stop" }) } : {};
    await this.#terminate(child, { ...this.#gentleness, ...ask });
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
    if (life === this.#next) {
      deps.log(`the next gateway ended before it served: ${reason}`);
      return;
    }
    const lastLine = child.lastLines.at(-1);
    // one that lets go slowly may outlive the one that took over from it
    if (run.generation >= (this.#lastExit?.generation ?? 0)) {
      this.#lastEnd = end;
      this.#lastExit = {
        at: new Date(deps.clock.wall()).toISOString(),
        generation: run.generation,
        code: end.code,
        signal: end.signal,
        reason,
        ...(lastLine === undefined ? {} : { lastLine }),
      };
    }
    const after = life === this.#life ? this.#decide(end, uptimeMs) : TAKEN_OVER;
    deps.onLine(
      "end",
      `gateway ended: ${describeExit(end)} (generation ${run.generation}, pid ${child.pid ?? "none"})`,
    );
    const then = after === TAKEN_OVER ? "the next one takes over" : describeAfter(after);
    deps.log(`gateway ended: ${reason}; ${then}`);
    deps.onEnded(run.generation, end, after);
    const { upstream } = this.#config.gateway;
    if (upstream.type === "openclaw" && end.code === 0 && end.by === "itself" && child.pid !== undefined) {
      await this.#openclaw.takeHandoff(upstream, child.pid);
    }
  }

  /** A launch that fails (no port, no memory) is tried again: nothing else would bring the gateway back. */
  #launchLater(delayMs: number): void {
    this.#restartTimer = setTimeout(() => {
      const launched = this.#launch();
      const epoch = this.#epoch;
      launched.catch((error) => {
        this.#deps.log(`cannot start the gateway: ${messageOf(error)}`);
        if (epoch === this.#epoch) this.#launchLater(RETRY_LAUNCH_MS);
      });
    }, delayMs);
  }

  #decide(end: ProcessEnd, uptimeMs: number): AfterEnd {
    this.observed = "away";
    this.#noteLeft();
    if (!this.#isStopping) this.#endsInARow++;
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
    if (this.#next !== undefined) {
      this.#state = "waiting";
      return TAKEN_OVER;
    }
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
