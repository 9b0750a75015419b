import assert from "node:assert/strict";
import { TOKEN } from "./clawkit.ts";
import { type ClientEnd, TestClient } from "./clients.ts";
import { connectParams } from "./raw-gateway-client.ts";

/** What clients ask for without pause: what only reads, what writes, and what takes a while. */
const REQUESTS: readonly ((n: number) => readonly [method: string, params: object])[] = [
  () => ["health", {}],
  (n) => ["system-event", { text: `number ${n}` }],
  () => ["status", {}],
  () => ["logs.tail", { limit: 1 }],
];

/** The reference client gives up on a request after 30 s: one that is older is not run (docs/link-protocol.md). */
const WAITS_MS = 30_000;

interface Answer {
  readonly type: "res";
  readonly id: string;
  readonly ok: boolean;
  readonly error?: { readonly details?: { readonly reason?: string } };
}

type Frame = Answer | { readonly type: "event"; readonly event: string; readonly seq?: number };

/** A client that issues numbered requests one after the other, and remembers what it saw. */
export class HistoryClient implements Disposable {
  readonly #client: TestClient;
  /** How long each answer took, in milliseconds. */
  readonly answeredAfter: number[] = [];
  /** Answers that say that the gateway was away for longer than a client waits. */
  expired = 0;
  /** What should not be: an answer to nothing, or a second one, a refusal, an event out of order. */
  readonly #wrong: string[] = [];
  readonly #pending = new Map<string, (answer: Answer) => void>();
  readonly #challenged = Promise.withResolvers<void>();
  #asked = 0;
  #events = 0;
  #end: ClientEnd | undefined;

  private constructor(url: string) {
    this.#client = new TestClient(url);
    this.#client.socket.on("message", (data) => this.#onFrame(JSON.parse(data.toString()) as Frame));
    void this.#client.ended.then((end) => {
      this.#end = end;
      for (const give of this.#pending.values()) give({ type: "res", id: "", ok: false });
    });
  }

  static async connect(url: string): Promise<HistoryClient> {
    const client = new HistoryClient(url);
    await client.#challenged.promise;
    await client.#request("connect", connectParams({ auth: { token: TOKEN }, scopes: ["operator.admin"] }));
    return client;
  }

  /** Until `isOver`. */
  async ask(isOver: () => boolean): Promise<void> {
    while (!isOver() && this.#end === undefined) {
      const askedAt = performance.now();
      await this.#request(...REQUESTS[this.#asked % REQUESTS.length]!(this.#asked));
      this.answeredAfter.push(performance.now() - askedAt);
    }
  }

  /** It noticed nothing: no close, each request answered once and run unless it had expired, events in order and without a gap. */
  check(): void {
    assert.equal(this.#end, undefined, `closed: ${JSON.stringify(this.#end)}`);
    assert.deepEqual(this.#wrong, []);
    assert.equal(this.#pending.size, 0, "a request has no answer");
  }

  async #request(method: string, params: object): Promise<void> {
    const id = String(++this.#asked);
    const answer = Promise.withResolvers<Answer>();
    this.#pending.set(id, answer.resolve);
    this.#client.socket.send(JSON.stringify({ type: "req", id, method, params }));
    const askedAt = performance.now();
    const answered = await answer.promise;
    if (answered.ok || this.#end !== undefined) return;
    const isExpired = answered.error?.details?.reason === "expired";
    if (isExpired && performance.now() - askedAt > WAITS_MS) this.expired++;
    else this.#wrong.push(JSON.stringify(answered));
  }

  #onFrame(frame: Frame): void {
    if (frame.type === "event") {
      if (frame.event === "connect.challenge") this.#challenged.resolve();
      if (frame.seq !== undefined && frame.seq !== ++this.#events) {
        this.#wrong.push(`event ${frame.seq} in the place of ${this.#events}`);
      }
      return;
    }
    const give = this.#pending.get(frame.id);
    if (give === undefined) this.#wrong.push(`an answer to ${frame.id}, which has one or was not asked`);
    this.#pending.delete(frame.id);
    give?.(frame);
  }

  [Symbol.dispose](): void {
    this.#client.socket.terminate();
  }
}
