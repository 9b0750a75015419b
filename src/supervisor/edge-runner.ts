import type {
  AfterEnd,
  Drain,
  EdgeAnswer,
  EdgeInspection,
  EdgeQuestion,
  EdgeSettings,
  EdgeToSupervisor,
  GatewayRun,
  GatewayState,
  IncidentNews,
  SupervisorToEdge,
} from "../core/messages.ts";
import { describeEnd, type ProcessEnd } from "../core/process-end.ts";
import type { BoundPort } from "./bound-port.ts";
import { type EndedLife, OwnProcess, type OwnProcessDeps } from "./own-process.ts";

/** An edge that is asked how it is and does not say within this time fails its own check. */
const INSPECT_TIMEOUT_MS = 2_000;

/** An edge has told its clients by then, or never will. */
const STOP_GRACE_MS = 3_000;

/** What a drain may take beyond its spread: the clients' answers to their Close frames. */
const DRAIN_SLACK_MS = 2_500;

export interface EdgeRunnerDeps extends OwnProcessDeps {
  readonly onGatewayState: (generation: number, state: GatewayState) => void;
  readonly onRestartGateway: (generation: number, why: string) => void;
  readonly onControlWanted: () => void;
  readonly onListenFailed: (message: string, code: string | undefined) => void;
  readonly onIncident: (change: "opened" | "closed", incident: IncidentNews) => void;
  /** It ended and nobody had asked for it; it listens again. */
  readonly onLost: (reason: string, generation: number) => void;
  readonly onListening: (generation: number) => void;
}

/** Starts the edge on the bound sockets, tells it about the gateway, starts it again when it dies. */
export class EdgeRunner {
  readonly #deps: EdgeRunnerDeps;
  readonly #process: OwnProcess;
  #ports: readonly BoundPort[] = [];
  #settings: EdgeSettings | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #isListening = false;
  #gatewayRun: GatewayRun | undefined;
  #inspections = new Map<number, (inspection: EdgeInspection) => void>();
  #nextInspection = 1;
  readonly #answers = new Map<number, (answer: EdgeAnswer) => void>();
  #nextQuestion = 1;
  #onDrained: (() => void) | undefined;
  #onLoaded: (() => void) | undefined;

  constructor(deps: EdgeRunnerDeps) {
    this.#deps = deps;
    this.#process = new OwnProcess({ role: "edge", graceMs: STOP_GRACE_MS, deps });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  /** Starts the process before there are sockets for it; resolves when its code is loaded, which takes longest. */
  async warmUp(): Promise<void> {
    this.#isStopping = false;
    const loaded = Promise.withResolvers<void>();
    this.#onLoaded = loaded.resolve;
    this.#spawn();
    await Promise.race([loaded.promise, this.#process.ended]);
  }

  start(ports: readonly BoundPort[], settings: EdgeSettings): void {
    clearTimeout(this.#restartTimer);
    const isWarm = this.pid !== undefined && this.#ports.length === 0;
    this.#ports = ports;
    this.#settings = settings;
    this.#isStopping = false;
    if (isWarm) this.#sendPorts();
    else this.#spawn();
  }

  gatewayStarted(run: GatewayRun): void {
    this.#gatewayRun = run;
    this.#send({ type: "gateway-started", run });
  }

  gatewayEnded(generation: number, end: ProcessEnd, after: AfterEnd): void {
    if (this.#gatewayRun?.generation === generation) this.#gatewayRun = undefined;
    this.#send({ type: "gateway-ended", generation, end, after });
  }

  /** Whether the gateway reads from the edge who its clients are; this edge is told only if that changed. */
  upstreamTrusts(trustsEdge: boolean): void {
    if (this.#settings === undefined || this.#settings.upstreamTrustsEdge === trustsEdge) return;
    this.#settings = { ...this.#settings, upstreamTrustsEdge: trustsEdge };
    this.#send({ type: "upstream-trust", trustsEdge });
  }

  /** The run log has more than before: the flight recorder reads it. */
  runsChanged(): void {
    this.#send({ type: "runs-changed" });
  }

  /** Has the edge tell its clients; resolves when it did, or after `spreadMs` and a little more. */
  async drain(scope: "gateway" | "all", drain: Drain): Promise<void> {
    if (this.pid === undefined || !this.#isListening) return;
    const drained = Promise.withResolvers<void>();
    this.#onDrained = drained.resolve;
    this.#send({ type: "drain", scope, ...drain });
    await withTimeout(Promise.race([drained.promise, this.#process.ended]), drain.spreadMs + DRAIN_SLACK_MS);
    this.#onDrained = undefined;
  }

  /** The edge's own view, or undefined if there is none or it does not answer. */
  async inspect(): Promise<EdgeInspection | undefined> {
    if (this.pid === undefined || !this.#isListening) return undefined;
    const id = this.#nextInspection++;
    const answer = Promise.withResolvers<EdgeInspection>();
    this.#inspections.set(id, answer.resolve);
    this.#send({ type: "inspect", id });
    const inspection = await withTimeout(answer.promise, INSPECT_TIMEOUT_MS);
    this.#inspections.delete(id);
    return inspection;
  }

  /** What the control process asks of the edge; undefined if there is none, or it does not answer. */
  async ask(question: EdgeQuestion): Promise<EdgeAnswer | undefined> {
    if (!this.#isListening) return undefined;
    const id = this.#nextQuestion++;
    const answer = Promise.withResolvers<EdgeAnswer>();
    this.#answers.set(id, answer.resolve);
    this.#send({ type: "ask", id, question });
    const answered = await withTimeout(answer.promise, INSPECT_TIMEOUT_MS);
    this.#answers.delete(id);
    return answered;
  }

  controlListening(path: string): void {
    this.#send({ type: "control-listening", path });
  }

  controlEnded(why: string): void {
    this.#send({ type: "control-ended", why });
  }

  /** Ends the edge; it starts again at once. */
  async restart(why: string): Promise<void> {
    await this.#process.end(why);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    await this.#process.end();
  }

  #spawn(): void {
    this.#isListening = false;
    this.#process.start<EdgeToSupervisor>(
      (message) => this.#onMessage(message),
      (life) => this.#onEnded(life),
    );
    this.#sendPorts();
    if (this.#gatewayRun !== undefined) this.#send({ type: "gateway-started", run: this.#gatewayRun });
  }

  #sendPorts(): void {
    for (const [i, { address, handle }] of this.#ports.entries()) {
      const isLast = i === this.#ports.length - 1;
      const message: SupervisorToEdge = { type: "socket", address, isLast, settings: this.#settings! };
      this.#process.send(message, handle as never);
    }
  }

  #onEnded({ end, generation, restartInMs }: EndedLife): void {
    this.#isListening = false;
    if (this.#isStopping) return;
    if (end.by !== "operator") this.#deps.onLost(describeEnd(end), generation);
    this.#restartTimer = setTimeout(() => this.#spawn(), restartInMs);
  }

  #onMessage(message: EdgeToSupervisor): void {
    switch (message.type) {
      case "loaded":
        return this.#onLoaded?.();
      case "listening":
        this.#isListening = true;
        this.#deps.onListening(this.#process.generation);
        this.#process.noteReady();
        return;
      case "listen-failed":
        return this.#deps.onListenFailed(message.message, message.code);
      case "gateway-state":
        return this.#deps.onGatewayState(message.generation, message.state);
      case "restart-gateway":
        return this.#deps.onRestartGateway(message.generation, message.why);
      case "drained":
        return this.#onDrained?.();
      case "incident":
        return this.#deps.onIncident(message.change, message.incident);
      case "control-wanted":
        return this.#deps.onControlWanted();
      case "answer":
        return this.#answers.get(message.id)?.(message.answer);
      case "inspection":
        return this.#inspections.get(message.id)?.(message.inspection);
    }
  }

  #send(message: SupervisorToEdge): void {
    this.#process.send(message);
  }
}

/** The value, or undefined once `ms` have passed. */
async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const timeout = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => timeout.resolve(undefined), ms);
  const value = await Promise.race([promise, timeout.promise]);
  clearTimeout(timer);
  return value;
}
