import { messageOf } from "../core/errors.ts";
import { entryOf, LOG_SOURCES, LogFile, mergeLines } from "../host/log-files.ts";
import type { LogEvents } from "./contract.ts";
import type { ControlDeps } from "./deps.ts";
import type { EventStream } from "./event-stream.ts";
import { isWanted, type LogQuery, lastLines, MAX_LINES } from "./log-query.ts";

/** A person sees a line within a moment; all consoles share one reader. */
const POLL_MS = 500;

/** Consoles at once. */
const MAX_STREAMS = 16;

/** Follows the logs while somebody watches, and tells everybody what they asked for. */
export class LogFeed {
  readonly #deps: Pick<ControlDeps, "logsDir" | "log">;
  /** Undefined for who has not been told yet what there was before. */
  readonly #readers = new Map<EventStream, LogQuery | undefined>();
  #files: readonly LogFile[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** One thing after the other: what one reader is told first must end where the next lines begin. */
  #work: Promise<void> | undefined;

  constructor(deps: Pick<ControlDeps, "logsDir" | "log">) {
    this.#deps = deps;
  }

  get hasRoom(): boolean {
    return this.#readers.size < MAX_STREAMS;
  }

  /** First the last lines, then what is new. */
  add(stream: EventStream, query: LogQuery): void {
    if (this.#readers.size === 0) {
      this.#files = LOG_SOURCES.map((source) => new LogFile(source, this.#deps.logsDir));
      this.#timer = setInterval(() => {
        if (this.#work === undefined) this.#next(() => this.#poll());
      }, POLL_MS);
    }
    this.#readers.set(stream, undefined);
    void stream.closed.then(() => this.#remove(stream));
    this.#next(async () => {
      if (this.#isNew) await Promise.all(this.#files.map((file) => file.goToEnd()));
      else await this.#poll();
      const lines = await lastLines(this.#files, query);
      this.#send(stream, { lines });
      if (this.#readers.has(stream)) this.#readers.set(stream, query);
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const stream of this.#readers.keys()) stream.end();
  }

  #remove(stream: EventStream): void {
    this.#readers.delete(stream);
    if (this.#readers.size === 0) clearInterval(this.#timer);
  }

  #next(work: () => Promise<void>): void {
    const done = (this.#work ?? Promise.resolve())
      .then(work)
      .catch((error) => this.#deps.log(`cannot follow the logs: ${messageOf(error)}`))
      .finally(() => {
        if (this.#work === done) this.#work = undefined;
      });
    this.#work = done;
  }

  /** Nobody has been told anything yet. */
  get #isNew(): boolean {
    return [...this.#readers.values()].every((query) => query === undefined);
  }

  async #poll(): Promise<void> {
    if (this.#isNew) return; // what there is comes with the look back
    const entries = mergeLines(await Promise.all(this.#files.map((file) => file.readNew()))).map(entryOf);
    for (const [stream, query] of this.#readers) {
      if (query === undefined) continue;
      const lines = entries.filter((entry) => isWanted(entry, query)).slice(-MAX_LINES);
      if (lines.length > 0) this.#send(stream, { lines });
    }
  }

  #send(stream: EventStream, data: LogEvents["lines"]): void {
    stream.send("lines", data);
  }
}
