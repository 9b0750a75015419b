import { mkdir, rm } from "node:fs/promises";
import type net from "node:net";
import { localHost, localUrl } from "../config/local-url.ts";
import { secretsOf } from "../config/redact.ts";
import type { Config } from "../config/schema.ts";
import type { ControlReply, ControlRequest, Status } from "../core/control.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import type { AfterEnd, EdgeSettings } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { describeEnd, type ProcessEnd } from "../core/process-end.ts";
import type { RunEvent } from "../core/run-events.ts";
import { withoutSecrets } from "../core/secrets.ts";
import { VERSION } from "../core/version.ts";
import type { Host } from "../host/types.ts";
import { Alerts } from "./alerts.ts";
import { ControlRunner, type ControlRunnerDeps } from "./control-runner.ts";
import { serveControl } from "./control-server.ts";
import { EdgeRunner, type EdgeRunnerDeps } from "./edge-runner.ts";
import { edgeSettings, upstreamTrustsEdge } from "./edge-settings.ts";
import { GatewayRunner, type GatewayRunnerDeps } from "./gateway-runner.ts";
import { openclawCommand } from "./launch/openclaw.ts";
import { endLeftovers } from "./leftovers.ts";
import { type Bound, bindAfter, bindAll, portInUse, release } from "./listening.ts";
import { acquireLock, type Lock } from "./lock.ts";
import { removeStrayReports } from "./node-report.ts";
import { RunLog } from "./run-log.ts";
import { Runs } from "./runs.ts";
import { GIVE_UP_WAITING_AFTER, statusOf } from "./status.ts";
import type { TakeOver } from "./take-over.ts";

const READY_POLL_MS = 20;

/** Whoever waits for the start is told what is wrong within this time, before everything ends. */
const TELL_MS = 200;

const RESTARTING = "gateway restarting, reconnect now";

const CONFIG_POLL_MS = 1_000;

/** How long a client should expect a planned restart to take; told in the `shutdown` event. */
const RESTART_EXPECTED_MS = 1_500;

type Shared =
  | "runs"
  | "host"
  | "clock"
  | "log"
  | "random"
  | "sendSignal"
  | "openclawSearch"
  | "env"
  | "node"
  | "reportsDir"
  | "clean";

export interface SupervisorDeps extends Pick<GatewayRunnerDeps, Exclude<Shared, "runs" | "clean">> {
  readonly pid: number;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: typeof fetch;
  readonly stateDir: string;
  readonly crashesDir: string;
  readonly reportsDir: string;
  readonly readOpenclaw: () => Promise<OpenclawConfig>;
  readonly lockPath: string;
  readonly runLogPath: string;
  readonly controlPath: string;
  readonly logFile: string;
  readonly configPath: string;
  readonly journalPath: string;
  readonly edgeArgs: readonly string[];
  readonly gatewayArgs: readonly string[];
  readonly controlArgs: readonly string[];
  /** Where the edge reaches the control process. */
  readonly controlApiPath: string;
  readonly socketPathFor: (generation: number) => string;
  /** Reads the config in force; throws a ClawkitError when it is broken. */
  readonly readConfig: () => Promise<Config>;
  readonly onLine: (
    source: "edge" | "gateway" | "control",
    stream: "out" | "err" | "end",
    line: string,
  ) => void;
  readonly onEvent: (event: RunEvent) => void;
}

/** OpenClaw's own config. */
export interface OpenclawConfig {
  /** Empty if there is none. */
  readonly text: string;
  /** Whether it has OpenClaw read X-Forwarded-For from the edge. */
  readonly trustsEdge: boolean;
}

/**
 * Holds the port; keeps an edge and a gateway running behind it. `start` → … → `stop`, once each.
 * It spawns, waits and records; it never parses a client's byte.
 */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopAsked = Promise.withResolvers<never>();
  #config!: Config;
  #configText = "";
  #runs!: Runs;
  #alerts!: Alerts;
  #edge: EdgeRunner | undefined;
  #gateway: GatewayRunner | undefined;
  #console: ControlRunner | undefined;
  #bound: Bound = { ports: [], port: 0, bind: "" };
  #tail: Promise<unknown> = Promise.resolve();
  #lock: Lock | undefined;
  #control: net.Server | undefined;
  #configTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #isOver = false;
  #fatal: ClawkitError | undefined;
  #wasReady = false;
  #isServed = false;
  /** Restarts that the gateway of a generation asked for and that have not begun. */
  readonly #requested = new Map<number, Promise<boolean>>();
  /** OpenClaw's config, as it was when it had refused it. */
  #refusedText: string | undefined;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    this.#stopAsked.promise.catch(() => undefined);
  }

  /** Resolves when everything is stopped; rejects if the port could not be listened on at the start. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Takes the lock and the port, ends leftovers, starts edge and gateway. Throws before anything is left behind.
   * A port that another gateway has is waited for, and so is the end of that gateway before ours is started.
   */
  start(takeOver?: TakeOver): Promise<void> {
    return this.#exclusive(() => this.#start(takeOver));
  }

  async #start(takeOver: TakeOver | undefined): Promise<void> {
    const deps = this.#deps;
    this.#config = await deps.readConfig();
    this.#configText = JSON.stringify(this.#config);
    const bootId = await deps.host.bootId();
    const startTime = (await deps.host.process(deps.pid))?.startTime ?? "unknown";
    this.#lock = await acquireLock(deps.lockPath, { pid: deps.pid, startTime, bootId }, deps.host);
    try {
      const runLog = new RunLog(deps.runLogPath);
      await runLog.prepare();
      const records = await runLog.read();
      await this.#checkUpstream(this.#config);
      await endLeftovers(records, deps);
      if (takeOver === undefined) this.#bound = await bindAll(this.#config, deps);
      // a report that nobody collected has an environment in it
      await rm(deps.reportsDir, { recursive: true, force: true });
      await mkdir(deps.reportsDir, { recursive: true, mode: 0o700 });
      this.#runs = new Runs({
        ...deps,
        runLog,
        bootId,
        secrets: () => secretsOf(this.#config),
        onChanged: () => this.#edge?.runsChanged(),
      });
      this.#alerts = new Alerts({ ...deps, config: () => this.#config.alerts });
      await this.#runs.own(deps.pid, { event: "start", startTime, command: "supervisor", ownGroup: false });
      this.#edge = new EdgeRunner(this.#edgeDeps());
      this.#gateway = new GatewayRunner(this.#config, records, this.#gatewayDeps());
      this.#console = new ControlRunner(this.#consoleDeps());
      this.#control = await serveControl(deps.controlPath, (request, progress) =>
        this.#answer(request, progress),
      );
    } catch (error) {
      this.#release();
      await this.#lock.release();
      throw error;
    }
    if (takeOver === undefined) await this.#startEdge();
    else await this.#takePort(takeOver);
    await this.#gateway.start(this.#config);
    this.#watchConfig();
  }

  async #startEdge(): Promise<void> {
    this.#deps.onEvent({ event: "starting", pid: this.#deps.pid, port: this.#bound.port });
    this.#started().edge.start(this.#bound.ports, await this.#edgeSettings(this.#config));
  }

  /** From the moment that the port is free clients wait in the edge, not before a closed door. */
  async #takePort({ onWaiting, released }: TakeOver): Promise<void> {
    const gone = Promise.race([released, this.#stopAsked.promise]);
    try {
      this.#bound = { ...this.#bound, port: this.#config.gateway.port };
      await this.#started().edge.warmUp();
      this.#bound = await bindAfter({ onWaiting, released: gone }, this.#config, this.#deps);
      await this.#startEdge();
      await gone;
      await this.#watchOpenclaw(); // whoever handed over may have changed it just now
    } catch (error) {
      await this.#end(messageOf(error));
      throw error;
    }
  }

  /** Resolves when clients are served; throws GATEWAY_REFUSED or GATEWAY_NOT_READY with the reason. */
  async whenReady(): Promise<void> {
    await this.#tail; // the start itself, or the operation that was asked for just before
    const deadline = this.#deps.clock.now() + this.#config.supervisor.startTimeoutSec * 1000;
    const { edge, gateway } = this.#started();
    while (!(edge.isListening && gateway.observed === "ready")) {
      if (this.#fatal !== undefined) throw this.#fatal;
      if (this.#isStopping) throw new ClawkitError("GATEWAY_NOT_READY", "The gateway is being stopped");
      const { endsInARow, lastExit } = gateway.inspect();
      const last = lastExit?.lastLine === undefined ? "" : `; its last line: ${lastExit.lastLine}`;
      if (gateway.isRefused) {
        throw new ClawkitError("GATEWAY_REFUSED", `The gateway refused to start (exit code 78)${last}`);
      }
      if (endsInARow >= GIVE_UP_WAITING_AFTER) {
        throw new ClawkitError(
          "GATEWAY_NOT_READY",
          `The gateway ended ${endsInARow} times without becoming ready: ${lastExit?.reason}${last}. It is tried again with growing delays`,
        );
      }
      if (this.#deps.clock.now() > deadline) {
        throw new ClawkitError(
          "GATEWAY_NOT_READY",
          `The gateway is not ready after ${this.#config.supervisor.startTimeoutSec} s (supervisor.startTimeoutSec)${last}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    this.#wasReady = true;
  }

  /** Tells the clients, ends everything, frees the port. Safe to call twice, and while it is starting. */
  stop(reason: string): Promise<void> {
    if (this.#isStopping) return this.ended;
    this.#isStopping = true;
    this.#stopAsked.reject(new ClawkitError("CONTROL_FAILED", `Cannot start: ${reason}`));
    this.#deps.log(`stopping: ${reason}`);
    this.#deps.onEvent({ event: "stopping", reason });
    this.#gateway?.abandonRestart(); // one that is under way may take minutes
    const stopped = this.#exclusive(() => this.#end(reason));
    stopped.then(this.#ended.resolve, this.#ended.reject);
    return stopped;
  }

  async #end(reason: string): Promise<void> {
    clearInterval(this.#configTimer);
    if (this.#gateway === undefined || this.#edge === undefined || this.#isOver) return; // the start failed and cleaned up
    this.#isOver = true;
    await this.#gateway.announceShutdown(reason);
    await this.#edge.drain("all", { reason, spreadMs: spreadOf(this.#config), isStop: true });
    await Promise.all([this.#gateway.stop(), this.#edge.stop(), this.#console?.stop()]);
    this.#release();
    const uptimeMs = Math.round(this.#deps.clock.now() - this.#startedAt);
    const end = { code: 0, signal: null, by: "operator" } as const;
    await this.#runs.own(this.#deps.pid, { event: "end", end, uptimeMs, lastLines: [] });
    await Promise.all([this.#runs.settled(), this.#alerts.stop()]);
    await this.#lock?.release();
    this.#deps.onEvent({ event: "stopped" });
  }

  /** One operation at a time: two restarts at once would start two gateways. */
  #exclusive<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(operation);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #restart(operation: () => Promise<void>): Promise<void> {
    return this.#exclusive(async () => {
      this.#assertNotStopping();
      await operation();
    });
  }

  #assertNotStopping(): void {
    if (!this.#isStopping) return;
    throw new ClawkitError("CONTROL_FAILED", "Cannot restart as the gateway is being stopped");
  }

  /** What cannot be started is found out before anything is stopped. Throws OPENCLAW_NOT_FOUND. */
  async #checkUpstream({ gateway: { upstream } }: Config): Promise<void> {
    if (upstream.type === "openclaw") await openclawCommand(upstream, this.#deps.openclawSearch);
  }

  async status(): Promise<Status> {
    const { edge, gateway } = this.#started();
    return statusOf({
      edge,
      gateway,
      inspection: await edge.inspect(),
      fatal: this.#fatal,
      isStopping: this.#isStopping,
      port: this.#bound.port,
      url: this.#url,
      supervisor: {
        pid: this.#deps.pid,
        upMs: Math.round(this.#deps.clock.now() - this.#startedAt),
        version: VERSION,
      },
    });
  }

  async #answer(request: ControlRequest, progress: (text: string) => void): Promise<ControlReply> {
    switch (request.op) {
      case "status":
        return { kind: "done", status: await this.status() };
      case "wait-ready":
        progress("waiting until it is ready");
        await this.whenReady();
        return { kind: "done", status: await this.status() };
      case "ask-edge": {
        const answer = await this.#started().edge.ask(request.question);
        if (answer !== undefined) return { kind: "edge-answer", answer };
        throw new ClawkitError("CONTROL_FAILED", "The edge does not answer");
      }
      case "console-code": {
        if (this.#console === undefined)
          throw new ClawkitError("CONTROL_FAILED", "The supervisor is still starting");
        const code = await this.#console.issueCode();
        return { kind: "code", code };
      }
      case "stop":
        progress("telling the clients");
        await this.stop("gateway stopped by its operator");
        return { kind: "done", status: await this.status() };
      case "restart":
        await this.#restart(() =>
          request.all ? this.#restartAll(progress) : this.#restartGateway(progress, true),
        );
        progress("waiting until it is ready");
        await this.whenReady();
        return { kind: "done", status: await this.status() };
    }
  }

  /**
   * Restarts the gateway behind the living edge; an edge that fails its own check is restarted too. `mayStay`: the process
   * may be the same one, as an OpenClaw's is that restarts by itself.
   */
  async #restartGateway(progress: (text: string) => void, mayStay: boolean): Promise<void> {
    const { edge, gateway } = this.#started();
    const config = await this.#deps.readConfig();
    await this.#checkUpstream(config);
    const { type } = config.gateway.upstream;
    if ((await edge.inspect()) === undefined && edge.isListening) {
      progress("restarting the edge, which does not answer");
      await edge.restart("it did not answer its supervisor");
    }
    const isAsked = type === "openclaw" && mayStay && JSON.stringify(config) === this.#configText;
    if (isAsked) progress("asking the gateway to restart");
    // a stop that came until now found nothing to abandon
    this.#assertNotStopping();
    if (isAsked && (await gateway.restartSafely())) return;
    const hold = async () => {
      this.#assertNotStopping();
      progress(type === "builtin" ? "holding the clients" : "telling the clients");
      await edge.drain("gateway", { reason: RESTARTING, spreadMs: spreadOf(config), isStop: false });
    };
    if (await gateway.canHandOver(config)) {
      this.#assertNotStopping();
      progress("preparing the next gateway");
      await gateway.handOver(config, async () => {
        await hold();
        progress("handing over to it");
        this.#adopt(config);
      });
      return;
    }
    await hold();
    progress("stopping the gateway");
    await gateway.stop();
    this.#assertNotStopping();
    progress("starting the gateway");
    this.#adopt(config);
    await gateway.start(config);
  }

  /** What a gateway asks for itself. False if it failed. */
  async #restartRequested(generation: number, reason: string): Promise<boolean> {
    try {
      await this.#restart(async () => {
        this.#requested.delete(generation);
        // a restart that was under way already did it, unless it was with the config from before
        const isDone = this.#started().gateway.inspect().generation !== generation;
        if (isDone && JSON.stringify(await this.#deps.readConfig()) === this.#configText) return;
        this.#deps.log(`restarting the gateway: ${reason}`);
        // memory only a new process gives back
        await this.#restartGateway(() => undefined, false);
      });
      return true;
    } catch (error) {
      this.#deps.log(messageOf(error));
      return false;
    }
  }

  /** Restarts edge and gateway with a fresh config. The port stays bound unless it changed. */
  async #restartAll(progress: (text: string) => void): Promise<void> {
    const { edge, gateway } = this.#started();
    const config = await this.#deps.readConfig();
    await this.#checkUpstream(config);
    const { port, bind } = config.gateway;
    // a port that cannot be had is found out before anything is stopped
    const moved = port === this.#bound.port ? undefined : await bindAll(config, this.#deps);
    progress("telling the clients");
    await gateway.announceShutdown("gateway restarting", RESTART_EXPECTED_MS);
    await edge.drain("all", { reason: RESTARTING, spreadMs: spreadOf(config), isStop: false });
    progress("stopping edge and gateway");
    await Promise.all([gateway.stop(), edge.stop(), this.#console?.retire()]);
    this.#assertNotStopping();
    if (moved !== undefined || bind !== this.#bound.bind) {
      release(this.#bound);
      this.#bound = moved ?? (await this.#bindOrReturn(config));
    }
    progress("starting edge and gateway");
    this.#adopt(config);
    this.#fatal = undefined;
    edge.start(this.#bound.ports, await this.#edgeSettings(config));
    await gateway.start(config);
  }

  /** From here on this config is in force; one that could not be read or bound never gets here. */
  #adopt(config: Config): void {
    this.#config = config;
    this.#configText = JSON.stringify(config);
  }

  #started(): { edge: EdgeRunner; gateway: GatewayRunner } {
    if (this.#edge !== undefined && this.#gateway !== undefined)
      return { edge: this.#edge, gateway: this.#gateway };
    throw new ClawkitError("CONTROL_FAILED", "The supervisor is still starting");
  }

  /** After a refusal the next change of the config, or of OpenClaw's, is worth a try. */
  #watchConfig(): void {
    const look = async () => {
      if (!this.#isStopping) await this.#retryRefused(await this.#watchOpenclaw());
    };
    this.#configTimer = setInterval(() => {
      void removeStrayReports(this.#deps.reportsDir, this.#deps.clock.wall());
      look().catch((error) => this.#deps.log(`cannot start the gateway: ${messageOf(error)}`));
    }, CONFIG_POLL_MS);
  }

  /**
   * OpenClaw reads its config again while it runs: remote clients must not go on to one that lets anybody in. Returns the
   * config's text; undefined with another upstream.
   */
  async #watchOpenclaw(): Promise<string | undefined> {
    if (this.#config.gateway.upstream.type !== "openclaw") return undefined;
    const { text, trustsEdge } = await this.#deps.readOpenclaw();
    this.#edge?.upstreamTrusts(upstreamTrustsEdge(this.#config, trustsEdge));
    return text;
  }

  async #retryRefused(openclawText: string | undefined): Promise<void> {
    if (this.#gateway?.isRefused !== true) {
      this.#refusedText = undefined;
      return;
    }
    this.#refusedText ??= openclawText;
    const config = await this.#deps.readConfig().catch(() => undefined);
    const isSame = JSON.stringify(config) === this.#configText && openclawText === this.#refusedText;
    if (config === undefined || isSame) return;
    this.#deps.log("the config changed: starting the gateway that had refused");
    this.#adopt(config);
    this.#refusedText = openclawText;
    await this.#restart(() => this.#started().gateway.start(config));
  }

  /** The same port on other addresses: it can only be tried once the old ones are let go. */
  async #bindOrReturn(config: Config): Promise<Bound> {
    try {
      return await bindAll(config, this.#deps);
    } catch (error) {
      this.#bound = await bindAll(this.#config, this.#deps);
      const { edge, gateway } = this.#started();
      edge.start(this.#bound.ports, await this.#edgeSettings(this.#config));
      await gateway.start(this.#config);
      throw error;
    }
  }

  #release(): void {
    clearInterval(this.#configTimer);
    this.#control?.close();
    release(this.#bound);
    this.#bound = { ...this.#bound, ports: [] };
  }

  /** With the secrets of the config in force: a token may change under a running supervisor. */
  readonly #clean = (line: string) => withoutSecrets(line, secretsOf(this.#config));

  async #edgeSettings(config: Config): Promise<EdgeSettings> {
    const { trustsEdge } = await this.#deps.readOpenclaw();
    return edgeSettings(config, this.#deps.stateDir, trustsEdge);
  }

  #edgeDeps(): EdgeRunnerDeps {
    return {
      ...this.#deps,
      clean: this.#clean,
      onIncident: (change, incident) => this.#alerts.incident(change, incident),
      onLost: (reason, generation) => {
        this.#alerts.edgeLost(reason, generation);
        this.#noteServed();
      },
      onListening: () => {
        this.#alerts.edgeBack();
        this.#noteServed();
      },
      runs: this.#runs,
      args: this.#deps.edgeArgs,
      onLine: (stream, line) => this.#deps.onLine("edge", stream, line),
      onGatewayState: (generation, state) => {
        this.#gateway?.noteState(generation, state);
        this.#noteServed();
      },
      onRestartGateway: (generation, why) => {
        this.#gateway
          ?.endHung(generation, why)
          .catch((error) => this.#deps.log(`cannot end the gateway: ${messageOf(error)}`));
      },
      onControlWanted: () => this.#console?.want(),
      onListenFailed: (message, code) => void this.#onListenFailed(message, code),
    };
  }

  get #url(): string | null {
    const { ports, port } = this.#bound;
    const host = localHost(ports.map(({ address }) => address));
    return host === undefined ? null : localUrl(host, port, this.#config.gateway.tls !== undefined);
  }

  /** Tells when clients are served, for the first time or again. */
  #noteServed(): void {
    const wasServed = this.#isServed;
    const { edge, gateway } = this.#started();
    this.#isServed = edge.isListening && gateway.observed === "ready";
    if (!this.#isServed || wasServed) return;
    const { pid, generation } = gateway.inspect();
    const { port } = this.#bound;
    const url = this.#url!; // it is listening
    const pids = { supervisor: this.#deps.pid, edge: edge.pid ?? null, gateway: pid ?? null };
    this.#deps.onEvent({ event: "ready", url, port, generation, pids });
  }

  #tellExit(generation: number, end: ProcessEnd, after: AfterEnd): void {
    const { code, signal } = end;
    const { lastExit } = this.#started().gateway.inspect();
    const lastLine = lastExit?.generation === generation ? (lastExit.lastLine ?? null) : null;
    const exit = { generation, code, signal, reason: describeEnd(end), lastLine, next: after.kind };
    this.#deps.onEvent({ event: "gateway-exit", ...exit });
  }

  #consoleDeps(): ControlRunnerDeps {
    const deps = this.#deps;
    return {
      ...deps,
      clean: this.#clean,
      runs: this.#runs,
      args: deps.controlArgs,
      settings: () => ({
        socketPath: deps.controlApiPath,
        port: this.#bound.port,
        isTls: this.#config.gateway.tls !== undefined,
        ...this.#config.console,
      }),
      onLine: (stream, line) => deps.onLine("control", stream, line),
      onListening: (path) => this.#edge?.controlListening(path),
      onEnded: (why) => this.#edge?.controlEnded(why),
    };
  }

  #gatewayDeps(): GatewayRunnerDeps {
    return {
      ...this.#deps,
      clean: this.#clean,
      runs: this.#runs,
      builtinArgs: this.#deps.gatewayArgs,
      removeSocket: (path) => void rm(path, { force: true }).catch(() => undefined),
      isStopped: async (pid) =>
        (await this.#deps.host.process(pid).catch(() => undefined))?.state === "stopped",
      onLine: (stream, line) => this.#deps.onLine("gateway", stream, line),
      onStarted: (run) => this.#edge?.gatewayStarted(run),
      onEnded: (generation, end, after) => {
        this.#edge?.gatewayEnded(generation, end, after);
        this.#noteServed();
        this.#tellExit(generation, end, after);
      },
      onRestartRequested: (generation, reason) => {
        const request = this.#requested.get(generation) ?? this.#restartRequested(generation, reason);
        this.#requested.set(generation, request);
        return request;
      },
    };
  }

  /** Bound, but somebody else listens: two sockets may bind one port as long as neither listens. */
  async #onListenFailed(message: string, code: string | undefined): Promise<void> {
    const { port } = this.#bound;
    this.#fatal =
      code === "EADDRINUSE"
        ? await portInUse(port, new Error(message), this.#deps.host)
        : new ClawkitError("BIND_FAILED", `Cannot listen on port ${port}: ${message}`);
    this.#deps.log(this.#fatal.message);
    if (this.#wasReady) return; // after a restart: the operator is told, and can put it right
    const fatal = this.#fatal;
    setTimeout(() => {
      void this.#exclusive(() => this.#end("the port cannot be used")).finally(() =>
        this.#ended.reject(fatal),
      );
    }, TELL_MS);
  }
}

function spreadOf({ supervisor }: Config): number {
  return supervisor.drainSec * 1000;
}
