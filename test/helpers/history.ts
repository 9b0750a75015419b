import assert from "node:assert/strict";
import { type GatewayClientOptions, GatewayClientRequestError } from "@openclaw/gateway-client";
import { sleep, TOKEN } from "./clawkit.ts";
import type { EventFrame } from "./gateway-frames.ts";
import { ReferenceClient } from "./reference-client.ts";

/** The reference client gives up on a request after 30 s: one that is older is not run (docs/link-protocol.md). */
const WAITS_MS = 30_000;

/** Longer than any outage here: what is never answered is found. */
const PATIENCE_MS = 180_000;

export interface HistoryOptions {
  /** Whether a request may be answered with the news that the journal cannot be written. */
  readonly mayBeRefused?: boolean;
}

/** A reference client that issues requests without pause, and remembers what became of them. */
export class HistoryClient implements AsyncDisposable {
  readonly #client: ReferenceClient;
  readonly #options: HistoryOptions;
  /** How long each answer took, in milliseconds. */
  readonly answeredAfter: number[] = [];
  /** Answers that say that it was not done: the gateway was away for longer than a client waits, or could not write. */
  notDone = 0;
  readonly #wrong: string[] = [];
  #isStopped = false;

  constructor(url: string, client: GatewayClientOptions, options: HistoryOptions = {}) {
    this.#options = options;
    this.#client = new ReferenceClient(url, TOKEN, {
      ...client,
      requestTimeoutMs: PATIENCE_MS,
      onEvent: (event) => this.onEvent(event),
    });
  }

  /** Resolves when the gateway has let it in. */
  async hello(): Promise<this> {
    await this.#client.when(() => this.#client.hellos[0]);
    return this;
  }

  /** Whether its connection ended, which it does not notice by itself: the reference client makes another. */
  get hasEnded(): boolean {
    return this.#isStopped || this.#client.closes.length > 0;
  }

  /** The answer's payload; undefined if it says that nothing was done, or the connection ended before. */
  async request(method: string, params: object): Promise<unknown> {
    const askedAt = performance.now();
    try {
      const payload = await this.#client.request(method, params);
      this.answeredAfter.push(performance.now() - askedAt);
      return payload;
    } catch (error) {
      const tookMs = performance.now() - askedAt;
      this.answeredAfter.push(tookMs);
      await sleep(1); // without a connection it fails at once, before its end is told
      if (this.hasEnded) return undefined;
      const reason =
        error instanceof GatewayClientRequestError && (error.details as { reason?: string })?.reason;
      const isExcused =
        (reason === "expired" && tookMs > WAITS_MS) ||
        (reason === "journal-unwritable" && this.#options.mayBeRefused === true);
      if (isExcused) this.notDone++;
      else this.#wrong.push(`${method}: ${error}`);
      return undefined;
    }
  }

  /** It noticed nothing: no close, each request answered as it should be, no event missing or out of order. */
  check(): void {
    assert.deepEqual(this.#client.closes, []);
    assert.deepEqual(this.#client.gaps, []);
    assert.deepEqual(this.#wrong, []);
    const seqs = this.#client.events.flatMap(({ seq }) => seq ?? []);
    assert.equal(
      seqs.findIndex((seq, i) => seq !== i + 1),
      -1,
      "an event is missing or out of order",
    );
  }

  protected onEvent(_event: EventFrame): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#client.stop();
  }
}
