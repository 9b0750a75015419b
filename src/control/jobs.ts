import { ClawkitError, type ErrorCode, errorCodes } from "../core/errors.ts";
import type { Diagnosis } from "../diagnosis/types.ts";
import { ApiError, failureOf } from "./api-error.ts";
import type { ApiFailure, DoctorReport, LastDoctor } from "./contract.ts";
import type { ControlDeps } from "./deps.ts";
import { EventStream } from "./event-stream.ts";
import type { Call } from "./route.ts";

/** Command lines of ours at once, a pasted log's among them: each takes a processor. */
const MAX_AT_ONCE = 3;

/** A command line of ours under way; whoever asks for the same one meanwhile sees the same one. */
interface Job {
  readonly name: string;
  readonly listeners: Set<(text: string) => void>;
  readonly result: Promise<object>;
}

interface JobOptions {
  readonly onProgress?: (text: string) => void;
}

/**
 * Runs our own command line in a process of its own, one at a time: what it looks at may take a processor, and two
 * repairs at once would look at each other.
 */
export class Jobs {
  readonly #deps: Pick<ControlDeps, "clawkit" | "clock">;
  readonly #abort = new AbortController();
  #job: Job | undefined;
  #atOnce = 0;
  #last: LastDoctor["last"] = null;
  /** What the last text that was explained may be, for whoever then says what helped. */
  lastExplained: Diagnosis["causes"] = [];

  constructor(deps: Pick<ControlDeps, "clawkit" | "clock">) {
    this.#deps = deps;
  }

  get last(): LastDoctor["last"] {
    return this.#last;
  }

  get isRunning(): boolean {
    return this.#job !== undefined;
  }

  /** A command line, which is given `--json`. Throws BUSY while another one is under way. */
  start(args: readonly string[]): Job {
    const name = args.join(" ");
    if (this.#job?.name === name) return this.#job;
    if (this.#job !== undefined) {
      throw new ApiError("BUSY", `clawkit ${this.#job.name} is still running: wait for its result`);
    }
    const listeners: Job["listeners"] = new Set();
    const onProgress = (text: string) => {
      for (const listener of listeners) listener(text);
    };
    const result = this.json([...args, "--json"], { onProgress }).finally(() => {
      this.#job = undefined;
    });
    result.catch(() => undefined); // whoever follows it has it
    this.#job = { name, listeners, result };
    return this.#job;
  }

  /** Sends a job's progress and its result, as events, until it is over; it goes on when its reader leaves. */
  async follow({ response }: Pick<Call, "response">, job: Job): Promise<object | undefined> {
    const stream = new EventStream(response);
    const tell = (text: string) => stream.send("progress", { text });
    job.listeners.add(tell);
    try {
      const result = await job.result;
      stream.send("result", result);
      return result;
    } catch (error) {
      stream.send("failure", failureOf(error).error);
      return undefined;
    } finally {
      job.listeners.delete(tell);
      stream.end();
    }
  }

  /**
   * What a command line of ours prints as JSON. Its input is read once there is room for it: ten megabytes each are
   * kept for a few only. Throws BUSY, or what the command says is wrong.
   */
  async json(
    args: readonly string[],
    { input, ...options }: JobOptions & { readonly input?: () => Promise<Buffer> } = {},
  ): Promise<object> {
    if (this.#atOnce >= MAX_AT_ONCE)
      throw new ApiError("BUSY", "Too much is being looked at: try again in a moment");
    this.#atOnce++;
    const { stdout, stderr } = await this.#run(args, options, input).finally(() => this.#atOnce--);
    const printed = parsed(stdout);
    if (printed === undefined) {
      throw new Error(`clawkit ${args[0]} printed no JSON: ${stderr.trim().slice(-500) || "nothing"}`);
    }
    if (isFailure(printed)) throw errorOf(printed);
    return printed;
  }

  /** Has the doctor look, or waits for one that is looking; its result is kept. */
  async examine(how: "--verbose" | "--deep" = "--verbose"): Promise<DoctorReport> {
    const report = (await this.start(["doctor", how]).result) as DoctorReport;
    this.remember(report);
    return report;
  }

  remember(report: DoctorReport): void {
    this.#last = { at: this.#deps.clock.wall(), report };
  }

  async #run(args: readonly string[], options: JobOptions, input: (() => Promise<Buffer>) | undefined) {
    const given = input === undefined ? {} : { input: await input() };
    return await this.#deps.clawkit(args, { ...options, ...given, signal: this.#abort.signal });
  }

  /** Ends what is under way. */
  stop(): void {
    this.#abort.abort();
  }
}

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

function errorOf({ error: { code, message } }: ApiFailure): Error {
  return code in errorCodes ? new ClawkitError(code as ErrorCode, message) : new Error(message);
}

function isFailure(value: object): value is ApiFailure {
  return "ok" in value && value.ok === false && "error" in value;
}
