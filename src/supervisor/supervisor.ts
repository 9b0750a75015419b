import type net from "node:net";
import { bindAddresses } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import type { ControlReply, ControlRequest, Status } from "../core/control.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { Host } from "../host/types.ts";
import { type BoundPort, bindPort } from "./bound-port.ts";
import { serveControl } from "./control-server.ts";
import { EdgeRunner, type EdgeRunnerDeps } from "./edge-runner.ts";
import { edgeSettings } from "./edge-settings.ts";
import { GatewayRunner, type GatewayRunnerDeps } from "./gateway-runner.ts";
import { endLeftovers } from "./leftovers.ts";
import { acquireLock, type Lock } from "./lock.ts";
import { RunLog } from "./run-log.ts";
import { Runs } from "./runs.ts";

/** A gateway that ended this often without being ready in between will not come up by waiting a little. */
const GIVE_UP_WAITING_AFTER = 3;

const READY_POLL_MS = 20;
const CONFIG_POLL_MS = 1_000;

/** How long a client should expect a planned restart to take; told in the `shutdown` event. */
const RESTART_EXPECTED_MS = 1_500;

type Shared = "runs" | "clock" | "log" | "random" | "sendSignal" | "env" | "node";

export interface SupervisorDeps extends Pick<GatewayRunnerDeps, Exclude<Shared, "runs">> {
  readonly pid: number;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly lockPath: string;
  readonly runLogPath: string;
  readonly controlPath: string;
  readonly logFile: string;
  readonly configPath: string;
  readonly edgeArgs: readonly string[];
  readonly gatewayArgs: readonly string[];
  readonly socketPathFor: (generation: number) => string;
  /** Reads the config in force; throws a ClawkitError when it is broken. */
  readonly readConfig: () => Promise<Config>;
  readonly onLine: (source: "edge" | "gateway", stream: "out" | "err" | "end", line: string) => void;
}

/**
 * Holds the port; keeps an edge and a gateway running behind it. `start` → … → `stop`, once each.
 * It spawns, waits and records; it never parses a client's byte.
 */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  #config!: Config;
  #configText = "";
  #runs!: Runs;
  #edge!: EdgeRunner;
  #gateway!: GatewayRunner;
  #ports: BoundPort[] = [];
  #lock: Lock | undefined;
  #control: net.Server | undefined;
  #configTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #fatal: ClawkitError | undefined;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  /** Resolves when everything is stopped; rejects if it cannot go on (the port was lost). */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Takes the lock and the port, ends leftovers, starts edge and gateway. Throws before anything is left behind. */
  async start(): Promise<void> {
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
      await endLeftovers(records, deps);
      this.#ports = await this.#bind();
      this.#runs = new Runs({ ...deps, runLog, bootId });
      await this.#runs.own(deps.pid, { event: "start", startTime, command: "supervisor", ownGroup: false });
      const lastGeneration = records.reduce((max, record) => Math.max(max, record.generation), 0);
      this.#edge = new EdgeRunner(this.#edgeDeps());
      this.#gateway = new GatewayRunner(this.#config, lastGeneration, this.#gatewayDeps());
      this.#control = await serveControl(deps.controlPath, (request, progress) =>
        this.#answer(request, progress),
      );
    } catch (error) {
      this.#release();
      await this.#lock.release();
      throw error;
    }
    this.#edge.start(this.#ports, edgeSettings(this.#config));
    await this.#gateway.start(this.#config);
    this.#watchConfig();
  }

  /** Resolves when clients are served; throws GATEWAY_REFUSED or GATEWAY_NOT_READY with the reason. */
  async whenReady(): Promise<void> {
    const deadline = this.#deps.clock.now() + this.#config.supervisor.startTimeoutSec * 1000;
    while (!(this.#edge.isListening && this.#gateway.observed === "ready")) {
      if (this.#fatal !== undefined) throw this.#fatal;
      const { endsInARow, lastExit } = this.#gateway.inspect();
      const last = lastExit?.lastLine === undefined ? "" : `; its last line: ${lastExit.lastLine}`;
      if (this.#gateway.isRefused) {
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
  }

  /** Tells the clients, ends everything, frees the port. Safe to call twice. */
  async stop(reason: string): Promise<void> {
    if (this.#isStopping) return this.ended;
    this.#isStopping = true;
    this.#deps.log(`stopping: ${reason}`);
    clearInterval(this.#configTimer);
    await this.#gateway.announceShutdown(reason);
    await this.#edge.drain("all", reason, this.#config.supervisor.drainSec * 1000);
    await Promise.all([this.#gateway.stop(), this.#edge.stop()]);
    this.#release();
    const uptimeMs = Math.round(this.#deps.clock.now() - this.#startedAt);
    const end = { code: 0, signal: null, by: "operator" } as const;
    await this.#runs.own(this.#deps.pid, { event: "end", end, uptimeMs, lastLines: [] });
    await this.#lock?.release();
    this.#ended.resolve();
  }

  async status(): Promise<Status> {
    const inspection = await this.#edge.inspect();
    const gateway = this.#gateway.inspect();
    const { observed } = this.#gateway;
    const { port, tls } = this.#config.gateway;
    const edgeAnswers = inspection !== undefined;
    const reason = this.#whyNotHealthy(edgeAnswers);
    return {
      state: this.#isStopping ? "stopping" : reason === undefined ? "healthy" : this.#overall(edgeAnswers),
      port,
      url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${port}`,
      supervisor: { pid: this.#deps.pid, upMs: Math.round(this.#deps.clock.now() - this.#startedAt) },
      edge: { pid: this.#edge.pid ?? null, held: inspection?.held ?? 0 },
      gateway: {
        pid: gateway.pid ?? null,
        state: gateway.state === "running" || gateway.state === "external" ? observed : gateway.state,
        generation: gateway.generation,
        upMs: gateway.upMs === undefined ? null : Math.round(gateway.upMs),
        lastExit: gateway.lastExit ?? null,
        endsInARow: gateway.endsInARow,
      },
      connections: inspection?.connections ?? 0,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  #overall(edgeAnswers: boolean): "starting" | "unhealthy" {
    const { state, endsInARow } = this.#gateway.inspect();
    const isComing = edgeAnswers || this.#edge.pid === undefined || !this.#edge.isListening;
    const isHung = this.#gateway.observed === "hung";
    return isComing && !isHung && state !== "refused" && endsInARow < GIVE_UP_WAITING_AFTER
      ? "starting"
      : "unhealthy";
  }

  #whyNotHealthy(edgeAnswers: boolean): string | undefined {
    const { state, lastExit } = this.#gateway.inspect();
    if (!edgeAnswers) return this.#edge.isListening ? "the edge does not answer" : "the edge is starting";
    if (state === "refused") return `the gateway refused to start: ${lastExit?.lastLine ?? "exit code 78"}`;
    if (state === "waiting")
      return `the gateway ended (${lastExit?.reason}) and is about to be started again`;
    if (this.#gateway.observed === "hung") return "the gateway does not answer";
    if (this.#gateway.observed !== "ready") return "the gateway is starting";
    return undefined;
  }

  async #answer(request: ControlRequest, progress: (text: string) => void): Promise<ControlReply> {
    switch (request.op) {
      case "status":
        return { kind: "done", status: await this.status() };
      case "wait-ready":
        progress("waiting until it is ready");
        await this.whenReady();
        return { kind: "done", status: await this.status() };
      case "stop":
        progress("telling the clients");
        await this.stop("gateway stopped by its operator");
        return { kind: "done", status: await this.status() };
      case "restart":
        if (request.all) await this.#restartAll(progress);
        else await this.#restartGateway(progress);
        progress("waiting until it is ready");
        await this.whenReady();
        return { kind: "done", status: await this.status() };
    }
  }

  /** Restarts the gateway behind the living edge; an edge that fails its own check is restarted too. */
  async #restartGateway(progress: (text: string) => void): Promise<void> {
    const config = await this.#reloadConfig();
    if ((await this.#edge.inspect()) === undefined && this.#edge.isListening) {
      progress("restarting the edge, which does not answer");
      await this.#edge.restart("it did not answer its supervisor");
    }
    progress("telling the clients");
    await this.#gateway.announceShutdown("gateway restarting", RESTART_EXPECTED_MS);
    await this.#edge.drain("gateway", "gateway restarting, reconnect now", config.supervisor.drainSec * 1000);
    progress("stopping the gateway");
    await this.#gateway.stop();
    progress("starting the gateway");
    await this.#gateway.start(config);
  }

  /** Restarts edge and gateway with a fresh config. The port stays bound unless it changed. */
  async #restartAll(progress: (text: string) => void): Promise<void> {
    const before = this.#config.gateway;
    const config = await this.#reloadConfig();
    progress("telling the clients");
    await this.#gateway.announceShutdown("gateway restarting", RESTART_EXPECTED_MS);
    await this.#edge.drain("all", "gateway restarting, reconnect now", config.supervisor.drainSec * 1000);
    progress("stopping edge and gateway");
    await Promise.all([this.#gateway.stop(), this.#edge.stop()]);
    if (before.port !== config.gateway.port || before.bind !== config.gateway.bind) {
      for (const { handle } of this.#ports) handle.close();
      this.#ports = await this.#bind();
    }
    progress("starting edge and gateway");
    this.#edge.start(this.#ports, edgeSettings(config));
    await this.#gateway.start(config);
  }

  /** Reads the config again. A broken one is an error for who asked; what runs keeps its last good one. */
  async #reloadConfig(): Promise<Config> {
    this.#config = await this.#deps.readConfig();
    this.#configText = JSON.stringify(this.#config);
    return this.#config;
  }

  /** After a refusal the next change of the config is worth a try. */
  #watchConfig(): void {
    const look = async () => {
      if (!this.#gateway.isRefused) return;
      const config = await this.#deps.readConfig().catch(() => undefined);
      if (config === undefined || JSON.stringify(config) === this.#configText) return;
      this.#deps.log("the config changed: starting the gateway that had refused");
      await this.#gateway.start(await this.#reloadConfig());
    };
    this.#configTimer = setInterval(() => {
      look().catch((error) => this.#deps.log(`cannot start the gateway: ${messageOf(error)}`));
    }, CONFIG_POLL_MS);
  }

  async #bind(): Promise<BoundPort[]> {
    const { bind, port } = this.#config.gateway;
    const ports: BoundPort[] = [];
    try {
      for (const { address, isOptional } of bindAddresses(bind)) {
        try {
          ports.push(bindPort(address, port));
        } catch (error) {
          const isMissing = isOptional && error instanceof ClawkitError && error.code === "BIND_FAILED";
          if (!isMissing) throw error;
          this.#deps.log(`not listening on ${address}: ${error.message}`);
        }
      }
    } catch (error) {
      for (const { handle } of ports) handle.close();
      if (!(error instanceof ClawkitError) || error.code !== "PORT_IN_USE") throw error;
      throw await this.#portInUse(port, error);
    }
    return ports;
  }

  async #portInUse(port: number, cause: Error): Promise<ClawkitError> {
    const [owner] = await this.#deps.host.portOwners(port).catch(() => []);
    const holder =
      owner?.pid === undefined ? "a process this user cannot see" : `pid ${owner.pid} (${owner.command})`;
    return new ClawkitError(
      "PORT_IN_USE",
      `Cannot start the gateway as port ${port} is in use: held by ${holder}. ` +
        "Stop that program, or choose another port: clawkit config set gateway.port <port>",
      { cause },
    );
  }

  #release(): void {
    clearInterval(this.#configTimer);
    this.#control?.close();
    for (const { handle } of this.#ports) handle.close();
    this.#ports = [];
  }

  #edgeDeps(): EdgeRunnerDeps {
    return {
      ...this.#deps,
      runs: this.#runs,
      args: this.#deps.edgeArgs,
      onLine: (stream, line) => this.#deps.onLine("edge", stream, line),
      onGatewayState: (generation, state) => this.#gateway.noteState(generation, state),
      onRestartGateway: (generation, why) => void this.#gateway.endHung(generation, why),
      onListenFailed: (message, code) => void this.#onListenFailed(message, code),
    };
  }

  #gatewayDeps(): GatewayRunnerDeps {
    return {
      ...this.#deps,
      runs: this.#runs,
      builtinArgs: this.#deps.gatewayArgs,
      onLine: (stream, line) => this.#deps.onLine("gateway", stream, line),
      onStarted: (run) => this.#edge.gatewayStarted(run),
      onEnded: (generation, end, after) => this.#edge.gatewayEnded(generation, end, after),
      onRestartRequested: (reason) => {
        this.#deps.log(`the gateway asks to be restarted: ${reason}`);
        void this.#restartGateway(() => undefined).catch((error) => this.#deps.log(messageOf(error)));
      },
    };
  }

  /** Bound, but somebody else listens: two sockets may bind one port as long as neither listens. */
  async #onListenFailed(message: string, code: string | undefined): Promise<void> {
    const { port } = this.#config.gateway;
    this.#fatal =
      code === "EADDRINUSE"
        ? await this.#portInUse(port, new Error(message))
        : new ClawkitError("BIND_FAILED", `Cannot listen on port ${port}: ${message}`);
    this.#deps.log(this.#fatal.message);
  }
}
