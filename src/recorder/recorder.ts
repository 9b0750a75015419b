import type { RecorderEvent } from "../core/records.ts";
import type { FromThread, ToThread } from "./recorder-thread.ts";

/** Events that may wait. At 10,000 connections that come and go this is some seconds of a blocked disk. */
const MAX_QUEUED = 50_000;

/** Batches the thread has not answered; more would only wait there instead of here. */
const MAX_UNANSWERED = 2;

/** Copying a batch to the thread takes the relay's time: about a millisecond for so many. */
const MAX_BATCH = 1_000;

const BATCH_MS = 100;

/** An edge that ends gives its recorder this long to write what is queued. */
const CLOSE_MS = 1_000;

export interface RecorderDeps {
  readonly post: (message: ToThread) => void;
  /** Lets the process end although the thread lives. */
  readonly onMessage: (listener: (message: FromThread) => void) => void;
  readonly log: (text: string) => void;
  readonly onIncident: (news: Extract<FromThread, { type: "incident" }>) => void;
}

/**
 * The edge's side of the flight recorder: a bounded queue in front of its thread. `record` never waits; what finds
 * no room is counted.
 */
export class Recorder {
  readonly #deps: RecorderDeps;
  readonly #queue: RecorderEvent[] = [];
  #unanswered = 0;
  #inThread = 0;
  #timer: NodeJS.Timeout | undefined;
  #onClosed: (() => void) | undefined;
  #written = 0;
  #dropped = 0;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    deps.onMessage((message) => this.#onMessage(message));
  }

  get stats() {
    return { queued: this.#queue.length + this.#inThread, written: this.#written, dropped: this.#dropped };
  }

  record(event: RecorderEvent): void {
    if (this.#queue.length >= MAX_QUEUED) {
      this.#dropped++;
      return;
    }
    this.#queue.push(event);
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  /** Writes what is queued and ends the thread; resolves at the latest after a second. */
  async close(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#onClosed = closed.resolve;
    clearTimeout(this.#timer);
    while (this.#queue.length > 0) this.#post();
    this.#deps.post({ type: "close" });
    const timer = setTimeout(closed.resolve, CLOSE_MS);
    await closed.promise;
    clearTimeout(timer);
  }

  #flush(): void {
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#unanswered < MAX_UNANSWERED) this.#post();
  }

  #post(): void {
    const events = this.#queue.splice(0, MAX_BATCH);
    this.#unanswered++;
    this.#inThread += events.length;
    this.#deps.post({ type: "events", events });
  }

  #onMessage(message: FromThread): void {
    switch (message.type) {
      case "done":
        this.#unanswered--;
        this.#inThread -= message.written + message.lost;
        this.#written += message.written;
        this.#dropped += message.lost;
        if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
        return;
      case "announcement":
        return this.#deps.log(message.text);
      case "incident":
        return this.#deps.onIncident(message);
      case "closed":
        return this.#onClosed?.();
    }
  }
}
