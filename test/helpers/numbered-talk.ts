import assert from "node:assert/strict";
import type { ClientSocket } from "../../src/client/index.ts";

/** Requests under way at once. */
const WINDOW = 32;

const METHODS = [
  ["health", {}],
  ["system-event", { text: "here" }],
] as const;

/** An application on the client library: asks by number, and remembers what it should not have seen. */
export class NumberedTalk {
  readonly #socket: ClientSocket;
  readonly #wrong: string[] = [];
  #done = () => {};
  #asked = 0;
  #events = 0;
  #limit = 0;
  answered = 0;
  opened = 0;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
    socket.onopen = () => {
      this.opened++;
      this.#ask();
    };
    socket.ongap = ({ reason }) => this.#isWrong(`a gap: ${reason}`);
    socket.onclose = ({ code, reason }) => this.#isWrong(`closed: ${code} ${reason}`);
    socket.onmessage = ({ data }) => this.#onFrame(JSON.parse(data));
  }

  /** Asks until `count` are asked in all, and waits for the answers. */
  async askUntil(count: number): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#limit = count;
    this.#done = () => {
      if (this.answered >= count || this.#wrong.length > 0) answered.resolve();
    };
    this.#ask();
    this.#done();
    await answered.promise;
  }

  /** Each request was answered once, in its order; no event is missing, repeated, or in another's place. */
  check(): void {
    assert.deepEqual(this.#wrong, []);
    assert.equal(this.answered, this.#asked);
    assert.equal(this.opened, 1);
  }

  #isWrong(what: string): void {
    this.#wrong.push(what);
    this.#done();
  }

  #ask(): void {
    while (this.opened > 0 && this.#asked < this.#limit && this.#asked - this.answered < WINDOW) {
      const [method, params] = METHODS[++this.#asked % METHODS.length]!;
      this.#socket.send(JSON.stringify({ type: "req", id: String(this.#asked), method, params }));
    }
  }

  #onFrame(frame: { type: string; id: string; ok: boolean; seq?: number }): void {
    if (frame.type === "res") {
      if (!frame.ok || frame.id !== String(++this.answered))
        this.#isWrong(`${JSON.stringify(frame)} in the place of answer ${this.answered}`);
      this.#ask();
    } else if (frame.seq !== undefined && frame.seq !== ++this.#events) {
      this.#isWrong(`event ${frame.seq} in the place of ${this.#events}`);
    }
    this.#done();
  }
}
