import type { ServerResponse } from "node:http";
import type { Call } from "./route.ts";

/** What a reader may leave unread before it is dropped: it comes back by itself (EventSource). */
const MAX_UNREAD_BYTES = 256 * 1024;

/** Middleboxes and sleeping laptops: a comment shows that both ends live. */
const BEAT_MS = 15_000;

/** A stream for whoever is signed in, and no longer than that. */
export function streamOf(
  { response, session, deps }: Pick<Call, "response" | "session" | "deps">,
  maxUnreadBytes?: number,
): EventStream {
  const stream = new EventStream(response, maxUnreadBytes);
  const { expiresAt, over } = session!;
  const end = () => stream.end();
  const timer = setTimeout(end, Math.max(0, expiresAt - deps.clock.wall()));
  over.addEventListener("abort", end);
  response.once("close", () => {
    clearTimeout(timer);
    over.removeEventListener("abort", end);
  });
  return stream;
}

/** Server-sent events to one reader. One that is still behind with `maxUnreadBytes` at the next event is dropped. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #maxUnreadBytes: number;
  readonly #beat: NodeJS.Timeout;

  constructor(response: ServerResponse, maxUnreadBytes = MAX_UNREAD_BYTES) {
    this.#response = response;
    this.#maxUnreadBytes = maxUnreadBytes;
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "X-Accel-Buffering": "no",
    });
    response.flushHeaders();
    this.#beat = setInterval(() => this.#write(":\n\n"), BEAT_MS);
    response.once("close", () => clearInterval(this.#beat));
  }

  send(event: string, data: object): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.#beat);
    this.#response.end();
  }

  /** Resolves when the reader is gone. */
  get closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#response.destroyed || this.#response.writableFinished) resolve();
      else this.#response.once("close", resolve);
    });
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    // the last event may be a large one: a report, a page of a log
    if (this.#response.writableLength > this.#maxUnreadBytes) this.#response.destroy();
    else this.#response.write(text);
  }
}
