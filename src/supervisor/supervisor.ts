import { mkdir, rm } from "node:fs/promises";
import type net from "node:net";
import { localHost, localUrl } from "../config/local-url.ts";
import { secretsOf } from "../config/redact.ts";
import type { Config } from "../config/schema.ts";
import type { ControlReply, ControlRequest, Status } from "../core/control.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import type { AfterEnd } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { describeEnd, type ProcessEnd } from "../core/process-end.ts";
import type { RunEvent } from "../core/run-events.ts";
import { withoutSecrets } from "../core/secrets.ts";
import { VERSION } from "../core/version.ts";
import type { Host } from "../host/types.ts";
import { Alerts } from "./alerts.ts";
import { ConfigInForce } from "./config-in-force.ts";
import { ConfigWatch, type OpenclawConfig } from "./config-watch.ts";
import { ControlRunner, type ControlRunnerDeps } from "./control-runner.ts";
import { serveControl } from "./control-server.ts";
import { EdgeRunner, type EdgeRunnerDeps } from "./edge-runner.ts";
import { edgeSettings } from "./edge-settings.ts";
import { GatewayRunner, type GatewayRunnerDeps } from "./gateway-runner.ts";
import { checkUpstream } from "./launch/openclaw.ts";
import { endLeftovers } from "./leftovers.ts";
import { Ports, portInUse } from "./listening.ts";
import { acquireLock, type Lock } from "./lock.ts";
import { removeStrayReports } from "./node-report.ts";
import { Restarts, spreadOf } from "./restarts.ts";
import { RunLog } from "./run-log.ts";
import { Runs } from "./runs.ts";
import { statusOf } from "./status.ts";
import type { TakeOver } from "./take-over.ts";
import { untilReady } from "./until-ready.ts";

/** Whoever waits for the start is told what is wrong within this time, before everything ends. */
const TELL_MS = 200;

/** Pause between two looks at files. */
const LOOK_MS = 1_000;

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

/**
 * Holds the port; keeps an edge and a gateway running behind it. `start` → … → `stop`, once each.
 * It spawns, waits and records; it never parses a client's byte.
 */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopAsked = Promise.withResolvers<never>();
  #inForce!: ConfigInForce;
  #restarts!: Restarts;
  #configWatch!: ConfigWatch;
  #runs!: Runs;
  #alerts!: Alerts;
  #edge: EdgeRunner | undefined;
  #gateway: GatewayRunner | undefined;
  #console: ControlRunner | undefined;
  #ports!: Ports;
  #tail: Promise<unknown> = Promise.resolve();
  #lock: Lock | undefined;
  #control: net.Server | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #isOver = false;
  #fatal: ClawkitError | undefined;
  #wasReady = false;
  #isServed = false;
  /** Restarts that the gateway of a generation asked for and that have not begun. */
  readonly #requested = new Map<number, Promise<boolean>>();

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    this.#stopAsked.promise.catch(() => undefined);
  }

  get #config(): Config {
    return this.#inForce.config;
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
    this.#inForce = new ConfigInForce(await deps.readConfig());
    this.#ports = new Ports(this.#config, deps);
    const bootId = await deps.host.bootId();
    const startTime = (await deps.host.process(deps.pid))?.startTime ?? "unknown";
    this.#lock = await acquireLock(deps.lockPath, { pid: deps.pid, startTime, bootId }, deps.host);
    try {
      const runLog = new RunLog(deps.runLogPath);
      await runLog.prepare();
      const records = await runLog.read();
      await checkUpstream(this.#config.gateway, deps.openclawSearch);
      await endLeftovers(records, deps);
      if (takeOver === undefined) await this.#ports.bind(this.#config);
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
      const running = { ...deps, edge: this.#edge, gateway: this.#gateway, inForce: this.#inForce };
      this.#restarts = new Restarts({
        ...running,
        console: this.#console,
        ports: this.#ports,
        startEdge: () => this.#startEdge(),
        assertNotStopping: () => this.#assertNotStopping(),
      });
      this.#configWatch = new ConfigWatch({
        ...running,
        exclusively: (operation) => this.#restart(operation),
      });
      this.#control = await serveControl(deps.controlPath, (request, progress) =>
        this.#answer(request, progress),
      );
    } catch (error) {
      this.#release();
      await this.#lock.release();
      throw error;
    }
    if (takeOver === undefined) await this.#beginToListen();
    else await this.#takePort(takeOver);
    await this.#gateway.start(this.#config);
    this.#lookTimer = setInterval(() => this.#lookAgain(), LOOK_MS);
  }

  async #beginToListen(): Promise<void> {
    this.#deps.onEvent({ event: "starting", pid: this.#deps.pid, port: this.#ports.port });
    await this.#startEdge();
  }

  async #startEdge(): Promise<void> {
    this.#fatal = undefined;
    const { trustsEdge } = await this.#deps.readOpenclaw();
    const settings = edgeSettings(this.#config, this.#deps.stateDir, trustsEdge);
    this.#started().edge.start(this.#ports.all, settings);
  }

  /** From the moment that the port is free clients wait in the edge, not before a closed door. */
  async #takePort({ onWaiting, released }: TakeOver): Promise<void> {
    const gone = Promise.race([released, this.#stopAsked.promise]);
    try {
      await this.#started().edge.warmUp();
      await this.#ports.takeOver({ onWaiting, released: gone }, this.#config);
      await this.#beginToListen();
      await gone;
      await this.#configWatch.lookAtOpenclaw(); // whoever handed over may have changed it just now
    } catch (error) {
      await this.#end(messageOf(error));
      throw error;
    }
  }

  /** Resolves when clients are served; throws GATEWAY_REFUSED or GATEWAY_NOT_READY with the reason. */
  async whenReady(): Promise<void> {
    await this.#tail; // the start itself, or the operation that was asked for just before
    await untilReady({
      ...this.#started(),
      clock: this.#deps.clock,
      startTimeoutSec: this.#config.supervisor.startTimeoutSec,
      hopeless: () => {
        if (this.#fatal !== undefined) return this.#fatal;
        return this.#isStopping
          ? new ClawkitError("GATEWAY_NOT_READY", "The gateway is being stopped")
          : undefined;
      },
    });
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
    clearInterval(this.#lookTimer);
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

  async status(): Promise<Status> {
    const { edge, gateway } = this.#started();
    return statusOf({
      edge,
      gateway,
      inspection: await edge.inspect(),
      fatal: this.#fatal,
      isStopping: this.#isStopping,
      port: this.#ports.port,
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
          request.all ? this.#restarts.all(progress) : this.#restarts.gateway(progress, true),
        );
        progress("waiting until it is ready");
        await this.whenReady();
        return { kind: "done", status: await this.status() };
    }
  }

  /** What a gateway asks for itself. False if it failed. */
  async #restartRequested(generation: number, reason: string): Promise<boolean> {
    try {
      await this.#restart(async () => {
        this.#requested.delete(generation);
        // a restart that was under way already did it, unless it was with the config from before
        const isDone = this.#started().gateway.inspect().generation !== generation;
        if (isDone && this.#inForce.is(await this.#deps.readConfig())) return;
        this.#deps.log(`restarting the gateway: ${reason}`);
        // memory only a new process gives back
        await this.#restarts.gateway(() => undefined, false);
      });
      return true;
    } catch (error) {
      this.#deps.log(messageOf(error));
      return false;
    }
  }

  #started(): { edge: EdgeRunner; gateway: GatewayRunner } {
    if (this.#edge !== undefined && this.#gateway !== undefined)
      return { edge: this.#edge, gateway: this.#gateway };
    throw new ClawkitError("CONTROL_FAILED", "The supervisor is still starting");
  }

  #lookAgain(): void {
    void removeStrayReports(this.#deps.reportsDir, this.#deps.clock.wall());
    if (this.#isStopping) return;
    this.#configWatch.look().catch((error) => {
      this.#deps.log(`cannot start the gateway: ${messageOf(error)}`);
    });
  }

  #release(): void {
    clearInterval(this.#lookTimer);
    this.#control?.close();
    this.#ports.release();
  }

  /** With the secrets of the config in force: a token may change under a running supervisor. */
  readonly #clean = (line: string) => withoutSecrets(line, secretsOf(this.#config));

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
    const { all, port } = this.#ports;
    const host = localHost(all.map(({ address }) => address));
    return host === undefined ? null : localUrl(host, port, this.#config.gateway.tls !== undefined);
  }

  /** Tells when clients are served, for the first time or again. */
  #noteServed(): void {
    const wasServed = this.#isServed;
    const { edge, gateway } = this.#started();
    this.#isServed = edge.isListening && gateway.observed === "ready";
    if (!this.#isServed || wasServed) return;
    const { pid, generation } = gateway.inspect();
    const { port } = this.#ports;
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
        port: this.#ports.port,
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
    const { port } = this.#ports;
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
