import type { SendHandle } from "node:child_process";
import type { Clock, Log, SendSignal } from "../core/ports.ts";
import { describeEnd, describeExit, type ProcessEnd } from "../core/process-end.ts";
import { decideRestart, initialRestartState, type RestartState } from "../policy/restart.ts";
import { Child } from "./child.ts";
import type { Runs } from "./runs.ts";
import { terminate } from "./terminate.ts";

/** What a process of our own code needs of the supervisor. */
export interface OwnProcessDeps {
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
}

export interface OwnProcessOptions {
  readonly role: "edge" | "control";
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly deps: OwnProcessDeps;
}

/** An end, and when the next life may begin. */
export interface EndedLife {
  readonly end: ProcessEnd;
  readonly generation: number;
  readonly restartInMs: number;
}

/** A process of our own code, one life after the other, each in the run log. */
export class OwnProcess {
  readonly #options: OwnProcessOptions;
  #child: Child | undefined;
  #generation = 0;
  #restartState: RestartState;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: OwnProcessOptions) {
    this.#options = options;
    this.#restartState = initialRestartState(options.deps.clock.now());
  }

  get pid(): number | undefined {
    return this.#child?.isRunning ? this.#child.pid : undefined;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Resolves when the last life is over and its end was told. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Begins a life; the one before is over. */
  start<Message>(
    onMessage: (message: Message) => void,
    onEnded: (life: EndedLife) => void | Promise<void>,
  ): void {
    const { role, deps } = this.#options;
    this.#generation++;
    const child = new Child({
      ...deps,
      command: deps.node,
      argv0: `clawkit ${role}`,
      ipc: true,
      ownGroup: true,
      onMessage: (message) => onMessage(message as Message),
    });
    this.#child = child;
    deps.log(`${role} started: pid ${child.pid ?? "none"}`);
    this.#ended = this.#follow(child, this.#generation, onEnded);
  }

  send(message: object, handle?: SendHandle): void {
    this.#child?.send(message, handle);
  }

  /** It does its work now. */
  noteReady(): void {
    const { role, deps } = this.#options;
    if (this.pid !== undefined) deps.runs.ready(role, this.#generation, this.pid);
  }

  /** Ends this life, as somebody asked for; `why` says it better than that. */
  async end(why?: string): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.blame("operator", why);
    await terminate(child, { graceMs: this.#options.graceMs });
    await this.#ended;
  }

  async #follow(
    child: Child,
    generation: number,
    onEnded: (life: EndedLife) => void | Promise<void>,
  ): Promise<void> {
    const { role, deps } = this.#options;
    const run = { generation, child, command: role, ownGroup: true };
    const { end, uptimeMs } = await deps.runs.follow(role, run);
    deps.onLine("end", `${role} ended: ${describeExit(end)} (pid ${child.pid ?? "none"})`);
    deps.log(`${role} ended: ${describeEnd(end)}`);
    const ended = { end, uptimeMs, now: deps.clock.now() };
    const [next, decision] = decideRestart(this.#restartState, ended, deps.random);
    this.#restartState = next;
    await onEnded({ end, generation, restartInMs: decision.kind === "restart" ? decision.delayMs : 0 });
  }
}
