import { type ChildProcess, type SendHandle, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { messageOf } from "../core/errors.ts";
import { isOurMessage, versioned } from "../core/messages.ts";
import type { SendSignal } from "../core/ports.ts";
import type { EndedBy, ProcessEnd } from "../core/process-end.ts";
import { LineSplitter } from "./lines.ts";
import { withReports } from "./node-report.ts";

/** Lines of a child's output that are kept as its last words. */
const LAST_LINES = 200;

/** A child's output may lag behind its exit; a grandchild that keeps the pipe open must not keep the end. */
const OUTPUT_LAG_MS = 500;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** What `ps` shows as the first word. Never for foreign programs: it breaks some. */
  readonly argv0?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it is one of ours and exchanges messages. */
  readonly ipc: boolean;
  /** Whether it leads a process group of its own, so that its children end with it and Ctrl-C is ours alone. */
  readonly ownGroup: boolean;
  /** Where a Node that dies of its own doing leaves its diagnostic report. */
  readonly reportsDir?: string;
  /** Takes the secrets out of what it prints, before anybody sees it. */
  readonly clean?: (line: string) => string;
  readonly onLine: (stream: "out" | "err", line: string) => void;
  readonly onMessage?: (message: { type: string }) => void;
  readonly sendSignal: SendSignal;
}

/** A child process: `running` → `ended`. Its end is one value, however it came about. */
export class Child {
  readonly pid: number | undefined;
  /** Resolves when the process is gone and its last output was read. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly lastLines: string[] = [];
  /** Stands in its environment, and in that of all it starts: proof that they are ours. */
  readonly mark = randomUUID();

  readonly #process: ChildProcess | undefined;
  readonly #options: ChildOptions;
  #hasExited = false;
  #endedBy: { by: EndedBy; why?: string } = { by: "itself" };

  constructor(options: ChildOptions) {
    this.#options = options;
    try {
      this.#process = start(options, this.mark);
    } catch (error) {
      // some failures (no memory, an empty name) are thrown, others are an 'error' event: to us they are the same
      const end: ProcessEnd = { code: null, signal: null, by: "itself", startError: messageOf(error) };
      this.ended = Promise.resolve(end);
      return;
    }
    this.pid = this.#process.pid;
    const { stdout, stderr } = this.#process;
    const outputs = [this.#read("out", stdout), this.#read("err", stderr)];
    this.ended = this.#waitForEnd(this.#process, Promise.all(outputs));
    this.#process.on("message", (message) => {
      if (isOurMessage(message)) options.onMessage?.(message);
    });
  }

  get isRunning(): boolean {
    return this.pid !== undefined && !this.#hasExited;
  }

  /** Sends a message to a child of ours; one that is going away misses it. */
  send(message: object, handle?: SendHandle): void {
    if (!this.#process?.connected) return;
    this.#process.send(versioned(message), handle, undefined, () => undefined);
  }

  /** Notes who asked for the end and why. The first cause is the story. */
  blame(by: EndedBy, why?: string): void {
    if (this.#endedBy.by !== "itself" || this.#hasExited) return;
    this.#endedBy = why === undefined ? { by } : { by, why };
  }

  /** Sends a signal to the child and, if it leads one, its group. */
  signal(signal: NodeJS.Signals): void {
    if (this.#hasExited || this.pid === undefined) return;
    if (this.#options.ownGroup) this.#options.sendSignal(-this.pid, signal);
    else this.#process?.kill(signal);
  }

  /** Sends a signal to the child alone, not to what it started. */
  signalAlone(signal: NodeJS.Signals): void {
    if (!this.#hasExited) this.#process?.kill(signal);
  }

  async #waitForEnd(child: ChildProcess, outputRead: Promise<unknown>): Promise<ProcessEnd> {
    const exit = await new Promise<Omit<ProcessEnd, "by">>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      child.on("error", (error) => {
        if (this.pid === undefined) resolve({ code: null, signal: null, startError: messageOf(error) });
      });
    });
    this.#hasExited = true;
    // whatever it left behind in its group would hold ports and pipes
    if (this.#options.ownGroup && this.pid !== undefined) this.#options.sendSignal(-this.pid, "SIGKILL");
    const lag = Promise.withResolvers<void>();
    const timer = setTimeout(lag.resolve, OUTPUT_LAG_MS);
    await Promise.race([outputRead, lag.promise]);
    clearTimeout(timer);
    return { ...exit, ...this.#endedBy };
  }

  #read(stream: "out" | "err", readable: Readable | null): Promise<void> {
    if (readable === null || readable === undefined) return Promise.resolve();
    const { clean = (line: string) => line } = this.#options;
    const splitter = new LineSplitter((printed) => {
      const line = clean(stripVTControlCharacters(printed));
      this.lastLines.push(line);
      if (this.lastLines.length > LAST_LINES) this.lastLines.shift();
      this.#options.onLine(stream, line);
    });
    return new Promise((resolve) => {
      readable.on("data", (chunk: Buffer) => splitter.push(chunk));
      readable.on("error", () => resolve());
      readable.on("close", () => {
        splitter.end();
        resolve();
      });
    });
  }
}

function start(options: ChildOptions, mark: string): ChildProcess {
  return spawn(options.command, options.args, {
    ...(options.argv0 === undefined ? {} : { argv0: options.argv0 }),
    env: {
      ...options.env,
      CLAWKIT_RUN: mark,
      ...(options.reportsDir === undefined
        ? {}
        : { NODE_OPTIONS: withReports(options.env.NODE_OPTIONS, options.reportsDir) }),
    } as NodeJS.ProcessEnv,
    stdio: options.ipc ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
    detached: options.ownGroup,
    windowsHide: true,
  });
}
