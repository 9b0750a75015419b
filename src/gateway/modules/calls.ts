import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { type EncodedPayload, MethodError } from "../frames.ts";
import type { Declared } from "./messages.ts";

/** Of one module; more of them is a flood. In all they hold as many characters of parameters. */
const MAX_CALLS = 64;
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** What a module that lives may take to say that it knows of a call's end: it may just clean up its memory. */
const HANG_MS = 2_000;

/** Calls that go on although their time is over, and hold what they hold. */
const MAX_OVERDUE = 16;

interface UnderWay {
  readonly method: Declared;
  readonly characters: number;
  readonly answer: PromiseWithResolvers<EncodedPayload>;
  readonly timer: NodeJS.Timeout;
}

export interface CallsDeps {
  /** A call's time is over, and its client is told: the module is to know. */
  readonly abort: (id: number) => void;
  /** Nothing but an end of the module helps. */
  readonly onStuck: (why: string) => void;
  readonly onTimeout: (method: string) => void;
}

/** What is under way in one module: `running` → answered, or → `overdue` (its client was told) → done. */
export class Calls {
  readonly #deps: CallsDeps;
  readonly #running = new Map<number, UnderWay>();
  /** With what waits for the module's sign of life. */
  readonly #overdue = new Map<number, NodeJS.Timeout>();
  #characters = 0;
  #lastId = 0;

  constructor(deps: CallsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Throws if there is no room. */
  begin(method: Declared, characters: number): { id: number; answer: Promise<EncodedPayload> } {
    if (
      this.#running.size + this.#overdue.size >= MAX_CALLS ||
      (this.#running.size > 0 && this.#characters + characters > MAX_CHARACTERS)
    )
      throw busy(method.name);
    const id = ++this.#lastId;
    const timer = setTimeout(() => this.#onTimeout(id), method.timeoutMs);
    const answer = Promise.withResolvers<EncodedPayload>();
    this.#running.set(id, { method, characters, answer, timer });
    this.#characters += characters;
    return { id, answer: answer.promise };
  }

  answer(id: number, payload: EncodedPayload): void {
    this.#take(id)?.answer.resolve(payload);
  }

  fail(id: number, errorOf: (method: Declared) => MethodError): void {
    const call = this.#take(id);
    call?.answer.reject(errorOf(call.method));
  }

  /** The module lives: it has heard that the call's time is over. */
  noteAborted(id: number): void {
    clearTimeout(this.#overdue.get(id));
  }

  /** The module ended. */
  failAll(errorOf: (method: Declared) => MethodError): void {
    for (const id of [...this.#running.keys()]) this.fail(id, errorOf);
    for (const timer of this.#overdue.values()) clearTimeout(timer);
    this.#overdue.clear();
  }

  /** Of one that is over; undefined if its client was told already. Throws for one that never was. */
  #take(id: number): UnderWay | undefined {
    const call = this.#running.get(id);
    if (call === undefined) {
      clearTimeout(this.#overdue.get(id));
      if (!this.#overdue.delete(id)) throw new RangeError("an answer that nobody asked for");
      return undefined;
    }
    clearTimeout(call.timer);
    this.#running.delete(id);
    this.#characters -= call.characters;
    return call;
  }

  #onTimeout(id: number): void {
    const { method, answer } = this.#take(id)!;
    answer.reject(tooLate(method));
    this.#deps.onTimeout(method.name);
    const hangs = () => this.#deps.onStuck(`it hung in ${method.name}, or in what ran meanwhile`);
    this.#overdue.set(id, setTimeout(hangs, HANG_MS));
    this.#deps.abort(id);
    if (this.#overdue.size > MAX_OVERDUE)
      this.#deps.onStuck(`${this.#overdue.size} calls went on when their time was over`);
  }
}

function busy(name: string): MethodError {
  return new MethodError({
    code: ErrorCodes.UNAVAILABLE,
    message: `${name}: too many calls of its module are under way (${MAX_CALLS}, or ${MAX_CHARACTERS} characters of parameters)`,
    details: { reason: "module-busy" },
    retryable: true,
    retryAfterMs: 1_000,
  });
}

function tooLate({ name, timeoutMs, external }: Declared): MethodError {
  return new MethodError({
    code: ErrorCodes.UNAVAILABLE,
    message: `${name} took longer than ${timeoutMs} ms${maybeDone(external)}`,
    details: { reason: "module-timeout" },
    ...(external ? {} : { retryable: true }),
  });
}

/** What a client has to know of a call that began and was not answered. */
export function maybeDone(external: boolean): string {
  return external ? ": it may have been done, or not" : "";
}
