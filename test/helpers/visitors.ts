import { sleep, until } from "./clawkit.ts";
import { TestClient } from "./clients.ts";

/** Between two visits of one visitor: some hundred of them a second in all, on a machine that does other things too. */
const PAUSE_MS = 100;

/** Clients of an echo gateway that come, have an echo, and leave, all the time, also while nobody is there. */
export class Visitors implements AsyncDisposable {
  /** Visits that went well. */
  served = 0;
  readonly #url: string;
  readonly #loops: Promise<void>[];
  readonly #clients = new Set<TestClient>();
  #isOver = false;

  constructor(count: number, url: string) {
    this.#url = url;
    this.#loops = Array.from({ length: count }, () => this.#comeAndGo());
  }

  /** Resolves when so many more were served. */
  async serve(more: number): Promise<void> {
    const wanted = this.served + more;
    await until(() => this.served >= wanted || undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const { socket } of this.#clients) socket.terminate();
    await Promise.all(this.#loops);
  }

  async #comeAndGo(): Promise<void> {
    while (!this.#isOver) {
      const client = new TestClient(this.#url);
      this.#clients.add(client);
      await this.#visit(client).catch(() => undefined);
      this.#clients.delete(client);
      await sleep(PAUSE_MS);
    }
  }

  async #visit(client: TestClient): Promise<void> {
    await client.opened;
    await client.echo("hello");
    this.served++;
    client.socket.close(1000);
    await client.ended;
  }
}
