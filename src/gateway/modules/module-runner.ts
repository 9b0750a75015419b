import { basename } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { describeEnd, type ProcessEnd } from "../../core/process-end.ts";
import type { Caller } from "../../module/index.ts";
import { EncodedPayload } from "../frames.ts";
import { Calls } from "./calls.ts";
import { LineBudget } from "./line-budget.ts";
import { type Declared, decodeLine, encodeLine, type FromModule, type ToModule } from "./messages.ts";
import { ended, ofModule, unavailable, unreadable } from "./module-errors.ts";
import { MODULE_HEAP_MB, type ModuleProcess, type StartModule } from "./module-process.ts";

/** A module that is not loaded by then is started again: what it waits for does not come. */
const LOAD_MS = 30_000;

/** Before it is started again: doubled each time, until it ran a minute. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 60_000;
const STABLE_MS = 60_000;

/** A sentence about a module is part of a line of the log and of `gateway status`. */
const MAX_WHY = 500;

export interface ModuleDeps {
  readonly start: StartModule;
  readonly log: Log;
  readonly now: () => number;
  /** Throws why the gateway cannot have these methods. */
  readonly admit: (methods: readonly Declared[]) => void;
  readonly onMethodFailed: (method: string) => void;
  /** It is there, or not any more. */
  readonly onChanged: () => void;
}

/** `loading` → `ready` → `waiting` (for the next start) → `loading` …; `closed` at any time, for good. */
export type ModuleState = "loading" | "ready" | "waiting" | "closed";

/** One module: starts its process, asks it, ends and starts it again. */
export class ModuleRunner {
  readonly path: string;
  readonly #name: string;
  readonly #deps: ModuleDeps;
  readonly #calls: Calls;
  readonly #output: LineBudget;
  #settled = Promise.withResolvers<void>();
  #state: ModuleState = "waiting";
  #methods: readonly Declared[] = [];
  #process: ModuleProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #readyAt = 0;
  #endsInARow = 0;
  #pauseMs = 0;
  /** Why this process is to end, or what it said of its end: the first of them is the story. */
  #why: string | undefined;
  /** Where the file that cannot be loaded is wrong. */
  #stack = "";
  #trouble: string | undefined;

  constructor(path: string, deps: ModuleDeps) {
    this.path = path;
    this.#name = basename(path);
    this.#deps = deps;
    this.#output = new LineBudget(deps.now);
    this.#calls = new Calls({
      abort: (id) => this.#send({ type: "abort", id }),
      onStuck: (why) => this.#end(why),
      onTimeout: (method) => {
        deps.onMethodFailed(method);
        this.#say(`${method} took longer than it may: its client was told`);
      },
    });
  }

  get state(): ModuleState {
    return this.#state;
  }

  /** Those that it had when it was last there, too. */
  get methods(): readonly Declared[] {
    return this.#methods;
  }

  /** Why it is not there; undefined if it is, or is only about to be. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when it is loaded, or could not be. */
  start(): Promise<void> {
    this.#launch();
    return this.#settled.promise;
  }

  /** One that could not be loaded is tried again now; resolves as `start`. */
  async retry(): Promise<void> {
    // this try began when what it lacks may have been another's
    if (this.#state === "loading" && this.#trouble !== undefined) await this.#settled.promise;
    if (this.#state !== "waiting") return;
    clearTimeout(this.#timer);
    await this.start();
  }

  async call(method: Declared, params: unknown, caller: Caller): Promise<EncodedPayload> {
    if (this.#state !== "ready") throw unavailable(method, Math.max(this.#pauseMs, FIRST_PAUSE_MS));
    const text = this.#encode(method, params);
    const { id, answer } = this.#calls.begin(method, text.length);
    this.#send({ type: "call", id, method: method.name, caller }, text);
    return await answer;
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#process?.kill();
    this.#calls.failAll(ended);
    this.#settled.resolve();
  }

  /** What is nested too deeply can be read, and not be written. */
  #encode(method: Declared, params: unknown): string {
    try {
      return JSON.stringify(params ?? {});
    } catch (error) {
      throw unreadable(method, messageOf(error));
    }
  }

  #launch(): void {
    this.#state = "loading";
    this.#settled = Promise.withResolvers();
    this.#why = undefined;
    this.#stack = "";
    this.#timer = setTimeout(() => this.#end(`it was not loaded within ${LOAD_MS / 1_000} s`), LOAD_MS);
    // what one says that was ended before is not this one's
    const ifMine =
      <T>(listener: (value: T) => void) =>
      (value: T) => {
        if (this.#process === mine) listener(value);
      };
    const mine = this.#deps.start(this.path, {
      onLine: ifMine((line) => {
        const { message, body } = decodeLine<FromModule>(line);
        this.#onMessage(message, body);
      }),
      onOutput: ifMine((line) => {
        if (line.includes("JavaScript heap out of memory"))
          this.#why ??= `its ${MODULE_HEAP_MB} MB of memory were full`;
        this.#say(line);
      }),
      onNonsense: ifMine((why) => {
        this.#why ??= `it sent ${why}`;
      }),
      onEnded: ifMine((end) => this.#onEnded(end)),
    });
    this.#process = mine;
  }

  #onMessage(message: FromModule, body: string): void {
    switch (message.type) {
      case "loaded":
        return this.#onLoaded(message.methods);
      case "not-loaded":
        this.#why ??= message.why;
        this.#stack = message.stack;
        return;
      case "last-words":
        this.#why ??= message.text;
        return;
      case "aborted":
        return this.#calls.noteAborted(message.id);
      case "done":
        return this.#calls.answer(message.id, new EncodedPayload(body));
      case "error":
        return this.#calls.fail(message.id, (method) => {
          if (message.kind === "failed" || message.kind === "too-large") {
            this.#deps.onMethodFailed(method.name);
            for (const line of message.text.split("\n")) this.#say(`${method.name}: ${line}`);
          }
          return ofModule(method, message);
        });
      default:
        throw new TypeError("a message that there is none of");
    }
  }

  #onLoaded(methods: readonly Declared[]): void {
    if (this.#state !== "loading" || this.#why !== undefined) return;
    try {
      this.#deps.admit(methods);
    } catch (error) {
      return this.#end(messageOf(error));
    }
    clearTimeout(this.#timer);
    this.#methods = methods;
    this.#readyAt = this.#deps.now();
    this.#state = "ready";
    if (this.#endsInARow > 0) this.#deps.log(`module ${this.#name} is there again`);
    this.#trouble = undefined;
    this.#settled.resolve();
    this.#deps.onChanged();
  }

  #end(why: string): void {
    this.#why ??= why;
    this.#process?.kill();
  }

  #onEnded(end: ProcessEnd): void {
    if (this.#state === "closed") return;
    clearTimeout(this.#timer);
    const wasReady = this.#state === "ready";
    if (wasReady && this.#deps.now() - this.#readyAt >= STABLE_MS) this.#endsInARow = 0;
    this.#pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#endsInARow++, MAX_PAUSE_MS);
    const why = (this.#why ?? describeEnd(end)).slice(0, MAX_WHY).replace(/\s*\n\s*/g, " ");
    const trouble = wasReady ? `ended: ${why}` : `cannot be loaded: ${why}`;
    // one that cannot be loaded is tried again and again: said once
    if (trouble !== this.#trouble) {
      const lost =
        this.#calls.size === 0 ? "" : `; ${this.#calls.size} calls under way were answered with an error`;
      this.#deps.log(
        `module ${this.#name} ${trouble}${lost}; it is tried again, the first time in ${this.#pauseMs} ms (${this.path})`,
      );
      for (const line of this.#stack.split("\n").filter(Boolean)) this.#say(line);
    }
    this.#trouble = trouble;
    this.#state = "waiting";
    this.#process = undefined;
    this.#timer = setTimeout(() => this.#launch(), this.#pauseMs);
    this.#calls.failAll(ended);
    this.#settled.resolve();
    this.#deps.onChanged();
  }

  #say(line: string): void {
    const taken = this.#output.take();
    if (taken === undefined) return;
    if (taken.dropped > 0) this.#deps.log(`module ${this.#name}: (${taken.dropped} lines were too many)`);
    this.#deps.log(`module ${this.#name}: ${line}`);
  }

  #send(message: ToModule, body?: string): void {
    this.#process?.send(encodeLine(message, body));
  }
}
