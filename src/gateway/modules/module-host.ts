import { messageOf } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import type { Caller } from "../../module/index.ts";
import { type Definition, readDefinitions } from "./definitions.ts";
import { decodeLine, encodeLine, type FromModule, MAX_RESULT, MAX_TEXT, type ToModule } from "./messages.ts";
import { loadValidator } from "./schemas.ts";

export interface ModuleHostDeps {
  /** Writes a line to the gateway. */
  readonly write: (line: string) => void;
  /** Loads the module's file. */
  readonly load: () => Promise<{ readonly default?: unknown }>;
  /** Of the gateway that started this process. */
  readonly gatewayVersion: string;
}

/** In a module's own process: its methods, and the calls that are under way. */
export class ModuleHost {
  readonly #deps: ModuleHostDeps;
  readonly #running = new Map<number, AbortController>();
  #definitions: ReadonlyMap<string, Definition> = new Map();

  constructor(deps: ModuleHostDeps) {
    this.#deps = deps;
  }

  /** False if there is nothing to stay for. */
  async load(): Promise<boolean> {
    try {
      const { gatewayVersion } = this.#deps;
      if (gatewayVersion !== VERSION)
        throw new Error(
          `the gateway is still ClawKit ${gatewayVersion}, its files are of ${VERSION}: clawkit gateway restart`,
        );
      this.#definitions = readDefinitions((await this.#deps.load()).default);
    } catch (error) {
      const stack = (error as Partial<Error> | undefined)?.stack ?? "";
      this.#send({
        type: "not-loaded",
        why: messageOf(error).slice(0, MAX_TEXT),
        stack: stack.slice(0, MAX_TEXT),
      });
      return false;
    }
    const methods = [...this.#definitions.values()].map(({ name, scope, external, timeoutMs }) => ({
      name,
      scope,
      external,
      timeoutMs,
    }));
    this.#send({ type: "loaded", methods });
    void loadValidator();
    return true;
  }

  onLine(line: string): void {
    const { message, body } = decodeLine<ToModule>(line);
    if (message.type === "call") return void this.#call(message, body);
    this.#running.get(message.id)?.abort(new Error("its time is over"));
    this.#send({ type: "aborted", id: message.id });
  }

  noteLastWords(error: unknown): void {
    this.#send({ type: "last-words", text: messageOf(error).slice(0, MAX_TEXT) });
  }

  async #call({ id, method, caller }: { id: number; method: string; caller: Caller }, body: string) {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      await this.#run(id, this.#definitions.get(method)!, { body, caller, signal: controller.signal });
    } catch (error) {
      const isRefusal = error instanceof Refusal;
      const text = isRefusal ? error.message : (error as Partial<Error> | undefined)?.stack;
      const kind = isRefusal ? "refused" : "failed";
      this.#send({ type: "error", id, kind, text: (text ?? messageOf(error)).slice(0, MAX_TEXT) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #run(
    id: number,
    { run, problemOf }: Definition,
    { body, caller, signal }: { body: string; caller: Caller; signal: AbortSignal },
  ): Promise<void> {
    await loadValidator();
    signal.throwIfAborted(); // its time was over before it began
    const params = JSON.parse(body) as object;
    const problem = await problemOf(params);
    if (problem !== undefined) return this.#send({ type: "error", id, kind: "params", text: problem });
    const answer = await run(params, { caller, signal, refuse });
    const text = JSON.stringify(answer) ?? "null";
    if (text.length > MAX_RESULT) {
      const size = `its answer has ${text.length} characters, ${MAX_RESULT} are allowed`;
      return this.#send({ type: "error", id, kind: "too-large", text: size });
    }
    this.#send({ type: "done", id }, text);
  }

  #send(message: FromModule, body?: string): void {
    this.#deps.write(encodeLine(message, body));
  }
}

class Refusal extends Error {}

function refuse(why: string): Error {
  return new Refusal(why);
}
