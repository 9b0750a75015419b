import net from "node:net";
import { sleep } from "./clawkit.ts";

/** Between two attempts: what is measured is a few of these. */
const PAUSE_MS = 1;

/** Asks a port of this machine for a connection, again and again, and knows for how long nobody was there. */
export class Refusals implements AsyncDisposable {
  /** From the first refusal in a row to the last one; the longest row counts. */
  longestMs = 0;
  /** Connections that were taken. */
  taken = 0;
  readonly #port: number;
  readonly #loop: Promise<void>;
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
    this.#loop = this.#ask();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  async #ask(): Promise<void> {
    let since: number | undefined;
    while (!this.#isOver) {
      const isTaken = await this.#isTaken();
      if (isTaken) since = undefined;
      else since ??= performance.now();
      if (since !== undefined) this.longestMs = Math.max(this.longestMs, performance.now() - since);
      else this.taken++;
      await sleep(PAUSE_MS);
    }
  }

  #isTaken(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = net.connect(this.#port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }
}
