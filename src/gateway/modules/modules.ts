import type { Log } from "../../core/ports.ts";
import type { Caller } from "../../module/index.ts";
import type { Method } from "../methods/index.ts";
import type { Session } from "../session.ts";
import type { Declared } from "./messages.ts";
import type { StartModule } from "./module-process.ts";
import { ModuleRunner } from "./module-runner.ts";

/** Modules that take longer are there later: the gateway's clients wait for it. */
const START_MS = 3_000;

export interface ModulesDeps {
  readonly start: StartModule;
  readonly log: Log;
  readonly now: () => number;
  /** The gateway's own methods, and what begins the names of its families. */
  readonly isOwn: (name: string) => boolean;
  readonly onChanged: () => void;
}

/** What a gateway is told of its modules. */
export interface ModuleEvents {
  readonly onMethodFailed: (method: string) => void;
  /** One that is there, or is not as it has trouble. */
  readonly onChanged: (path: string, trouble: string | undefined) => void;
}

/** The modules of a gateway, and the methods that they add to its own. */
export class Modules {
  readonly #runners: readonly ModuleRunner[];
  readonly #deps: ModulesDeps;
  #events: ModuleEvents | undefined;

  constructor(paths: readonly string[], deps: ModulesDeps) {
    this.#deps = deps;
    this.#runners = [...new Set(paths)].map((path) => this.#runnerOf(path));
  }

  /** Resolves when every module is loaded, or could not be, or has had its time. */
  async start(): Promise<void> {
    await this.#each((runner) => runner.start());
    for (const { path, state, trouble } of this.#runners) {
      if (state === "loading" && trouble === undefined)
        this.#deps.log(
          `module ${path} is not loaded yet after ${START_MS / 1_000} s: the gateway does not wait`,
        );
    }
  }

  /** The gateway before is gone, and so are its modules: what they had, as a port, is free. Resolves as `start`. */
  async retry(): Promise<void> {
    await this.#each((runner) => runner.retry());
  }

  async #each(begin: (runner: ModuleRunner) => Promise<void>): Promise<void> {
    if (this.#runners.length === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, START_MS);
    await Promise.race([Promise.all(this.#runners.map(begin)), late.promise]);
    clearTimeout(timer);
  }

  /** From now on; what there is already is told at once. */
  tell(events: ModuleEvents): void {
    this.#events = events;
    for (const { path, state, trouble } of this.#runners)
      if (state !== "loading") events.onChanged(path, trouble);
  }

  get names(): string[] {
    return this.#runners.flatMap(({ methods }) => methods.map(({ name }) => name));
  }

  /** A method of a module, whether it runs now or not. */
  get(name: string): Method<unknown> | undefined {
    for (const runner of this.#runners) {
      const declared = runner.methods.find((method) => method.name === name);
      if (declared !== undefined) return methodOf(runner, declared);
    }
    return undefined;
  }

  /** What an operator wants to know. */
  inspect() {
    return this.#runners.map(({ path, state, methods, trouble }) => ({
      path,
      state,
      methods: methods.map(({ name }) => name),
      ...(trouble === undefined ? {} : { trouble }),
    }));
  }

  close(): void {
    for (const runner of this.#runners) runner.close();
  }

  #runnerOf(path: string): ModuleRunner {
    const runner: ModuleRunner = new ModuleRunner(path, {
      ...this.#deps,
      admit: (methods) => this.#admit(runner, methods),
      onMethodFailed: (method) => this.#events?.onMethodFailed(method),
      onChanged: () => {
        this.#events?.onChanged(path, runner.trouble);
        this.#deps.onChanged();
      },
    });
    return runner;
  }

  #admit(runner: ModuleRunner, methods: readonly Declared[]): void {
    for (const { name } of methods) {
      if (this.#deps.isOwn(name))
        throw new Error(`it defines ${name}, and such names are the gateway's own: rename it`);
      const other = this.#runners.find(
        (one) => one !== runner && one.methods.some((its) => its.name === name),
      );
      if (other !== undefined)
        throw new Error(`it defines ${name}, and so does ${other.path}: rename one of them`);
    }
  }
}

function methodOf(runner: ModuleRunner, declared: Declared): Method<unknown> {
  return {
    scope: declared.scope,
    // its module looks at them: a pattern can take for ever
    read: (params) => ({ value: params }),
    isWork: true,
    isOfModule: true,
    runs: declared.external ? "external" : "apart",
    waitsMs: declared.timeoutMs,
    run: (params, session) => runner.call(declared, params, callerOf(session)),
  };
}

function callerOf({ role, scopes, client, deviceId }: Session): Caller {
  return { role, scopes, client: client.id, ...(deviceId === undefined ? {} : { deviceId }) };
}
