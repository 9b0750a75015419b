import { rm } from "node:fs/promises";
import { ClawkitError } from "../core/errors.ts";
import type { ControlSettings, ControlToSupervisor, SupervisorToControl } from "../core/messages.ts";
import { describeEnd } from "../core/process-end.ts";
import { type EndedLife, OwnProcess, type OwnProcessDeps } from "./own-process.ts";

const STOP_GRACE_MS = 1_000;

/** It loads its code and opens a socket; a slow machine takes seconds. */
const START_MS = 10_000;

/** It answers from memory. */
const CODE_MS = 2_000;

export interface ControlRunnerDeps extends OwnProcessDeps {
  readonly settings: () => ControlSettings;
  readonly onListening: (path: string) => void;
  readonly onEnded: (why: string) => void;
}

/** Starts the console's process when somebody asks for it; it ends when nobody has for long. */
export class ControlRunner {
  readonly #deps: ControlRunnerDeps;
  readonly #process: OwnProcess;
  /** It is not started again before then: a process that dies at once must not be started for every request. */
  #notBefore = 0;
  #listening = Promise.withResolvers<string>();
  #isStopped = false;
  readonly #codes = new Map<number, (code: string) => void>();
  #nextCode = 1;

  constructor(deps: ControlRunnerDeps) {
    this.#deps = deps;
    this.#process = new OwnProcess({ role: "control", graceMs: STOP_GRACE_MS, deps });
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
    await this.#process.end();
  }

  /** Ends it, so that the next request starts one with the settings of then. */
  async retire(): Promise<void> {
    await this.stop();
    this.#isStopped = false;
  }

  async #start(): Promise<string> {
    const { clock } = this.#deps;
    // what follows an end must not meet the next life
    if (this.#process.pid === undefined) await this.#process.ended;
    if (this.#isStopped) throw failed("the gateway is being stopped");
    if (this.#process.pid === undefined) {
      if (clock.now() < this.#notBefore) throw failed("it ended a moment ago and is tried again soon");
      this.#spawn();
    }
    return await within(this.#listening.promise, START_MS, "it does not start");
  }

  #spawn(): void {
    const settings = this.#deps.settings();
    const listening = Promise.withResolvers<string>();
    listening.promise.catch(() => undefined); // whoever waits has it
    this.#listening = listening;
    this.#process.start<ControlToSupervisor>(
      (message) => this.#onMessage(message, settings),
      (life) => this.#onEnded(life, settings),
    );
    this.#send({ type: "start", settings });
  }

  async #onEnded({ end, restartInMs }: EndedLife, { socketPath }: ControlSettings): Promise<void> {
    const { clock, onEnded } = this.#deps;
    this.#notBefore = clock.now() + restartInMs;
    if (!socketPath.startsWith("\\\\")) await rm(socketPath, { force: true }).catch(() => undefined);
    this.#listening.reject(failed(describeEnd(end)));
    onEnded(describeEnd(end));
  }

  #onMessage(message: ControlToSupervisor, { socketPath }: ControlSettings): void {
    switch (message.type) {
      case "listening":
        this.#process.noteReady();
        return this.#listening.resolve(socketPath);
      case "code":
        return this.#codes.get(message.id)?.(message.code);
      case "idle":
        void this.#process.end("nobody looked at the console any more");
        return;
    }
  }

  #send(message: SupervisorToControl): void {
    this.#process.send(message);
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
