import { rm } from "node:fs/promises";
import { ClawkitError } from "../core/errors.ts";
import type { ControlSettings, ControlToSupervisor, SupervisorToControl } from "../core/messages.ts";
import type { Clock, Log, SendSignal } from "../core/ports.ts";
import { describeEnd, describeExit } from "../core/process-end.ts";
import { decideRestart, initialRestartState, type RestartState } from "../policy/restart.ts";
import { Child } from "./child.ts";
import type { Runs } from "./runs.ts";
import { terminate } from "./terminate.ts";

const STOP_GRACE_MS = 1_000;

/** It loads its code and opens a socket; a slow machine takes seconds. */
const START_MS = 10_000;

/** It answers from memory. */
const CODE_MS = 2_000;

export interface ControlRunnerDeps {
  readonly runs: Runs;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sendSignal: SendSignal;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly node: string;
  readonly args: readonly string[];
  readonly reportsDir: string;
  readonly clean: (line: string) => string;
  readonly onLine: (stream: "out" | "err" | "end", line: string) => void;
  readonly settings: () => ControlSettings;
  readonly onListening: (path: string) => void;
  readonly onEnded: (why: string) => void;
}

/** Starts the console's process when somebody asks for it; it ends when nobody has for long. */
export class ControlRunner {
  readonly #deps: ControlRunnerDeps;
  #child: Child | undefined;
  #generation = 0;
  #restartState: RestartState;
  /** It is not started again before then: a process that dies at once must not be started for every request. */
  #notBefore = 0;
  #listening = Promise.withResolvers<string>();
  #ended: Promise<void> = Promise.resolve();
  #isStopped = false;
  readonly #codes = new Map<number, (code: string) => void>();
  #nextCode = 1;

  constructor(deps: ControlRunnerDeps) {
    this.#deps = deps;
    this.#restartState = initialRestartState(deps.clock.now());
  }

  /** Tells where it listens, through `onListening`, or through `onEnded` why it does not. */
  want(): void {
    this.#start().then(this.#deps.onListening, (error: Error) => this.#deps.onEnded(error.message));
  }

  /** A one-time code for the console. Throws CONTROL_FAILED. */
  async issueCode(): Promise<string> {
    await this.#start();
    const id = this.#nextCode++;
    const answer = Promise.withResolvers<string>();
    this.#codes.set(id, answer.resolve);
    this.#send({ type: "issue-code", id });
    try {
      return await within(answer.promise, CODE_MS, "it does not answer");
    } finally {
      this.#codes.delete(id);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#child !== undefined) {
      this.#child.blame("operator");
      await terminate(this.#child, { graceMs: STOP_GRACE_MS });
    }
    await this.#ended;
  }

  /** Ends it, so that the next request starts one with the settings of then. */
  async retire(): Promise<void> {
    await this.stop();
    this.#isStopped = false;
  }

  async #start(): Promise<string> {
    const { clock } = this.#deps;
    if (this.#isStopped) throw failed("the gateway is being stopped");
    if (this.#child?.isRunning !== true) {
      if (clock.now() < this.#notBefore) throw failed("it ended a moment ago and is tried again soon");
      this.#spawn();
    }
    return await within(this.#listening.promise, START_MS, "it does not start");
  }

  #spawn(): void {
    const deps = this.#deps;
    const settings = deps.settings();
    this.#generation++;
    const listening = Promise.withResolvers<string>();
    listening.promise.catch(() => undefined); // whoever waits has it
    this.#listening = listening;
    const child = new Child({
      command: deps.node,
      args: deps.args,
      argv0: "clawkit control",
      env: deps.env,
      ipc: true,
      ownGroup: true,
      reportsDir: deps.reportsDir,
      clean: deps.clean,
      onLine: deps.onLine,
      onMessage: (message) => this.#onMessage(message as ControlToSupervisor, settings),
      sendSignal: deps.sendSignal,
    });
    this.#child = child;
    this.#send({ type: "start", settings });
    deps.log(`control started: pid ${child.pid ?? "none"}`);
    this.#ended = this.#follow(child, this.#generation, settings);
  }

  async #follow(child: Child, generation: number, { socketPath }: ControlSettings): Promise<void> {
    const deps = this.#deps;
    const { end, uptimeMs } = await deps.runs.follow("control", {
      generation,
      child,
      command: "control",
      ownGroup: true,
    });
    deps.onLine("end", `control ended: ${describeExit(end)} (pid ${child.pid ?? "none"})`);
    deps.log(`control ended: ${describeEnd(end)}`);
    if (!socketPath.startsWith("\\\\")) await rm(socketPath, { force: true }).catch(() => undefined);
    const now = deps.clock.now();
    const [next, decision] = decideRestart(this.#restartState, { end, uptimeMs, now }, deps.random);
    this.#restartState = next;
    this.#notBefore = now + (decision.kind === "restart" ? decision.delayMs : 0);
    this.#listening.reject(failed(describeEnd(end)));
    deps.onEnded(describeEnd(end));
  }

  #onMessage(message: ControlToSupervisor, { socketPath }: ControlSettings): void {
    switch (message.type) {
      case "listening":
        if (this.#child?.pid !== undefined)
          this.#deps.runs.ready("control", this.#generation, this.#child.pid);
        return this.#listening.resolve(socketPath);
      case "code":
        return this.#codes.get(message.id)?.(message.code);
      case "idle":
        this.#child?.blame("operator", "nobody looked at the console any more");
        this.#child?.signal("SIGTERM");
        return;
    }
  }

  #send(message: SupervisorToControl): void {
    this.#child?.send(message);
  }
}

function failed(why: string): ClawkitError {
  return new ClawkitError("CONTROL_FAILED", `Cannot serve the console as its process is away: ${why}`);
}

async function within<T>(promise: Promise<T>, ms: number, late: string): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(failed(late)), ms);
  return await Promise.race([promise, timeout.promise]).finally(() => clearTimeout(timer));
}
