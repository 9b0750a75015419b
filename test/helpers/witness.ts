import assert from "node:assert/strict";
import { once } from "node:events";
import type { WebSocket } from "ws";
import type { TestClawkit } from "./clawkit.ts";
import { TestClient } from "./clients.ts";

/** An echo later than this counts as none. */
const ECHO_MS = 10_000;

/** A well-behaved client of an echo gateway, and what has to stay as it was for it while others misbehave. */
export class Witness {
  readonly #clawkit: TestClawkit;
  #client: TestClient | undefined;
  #edgePid = 0;
  #echoes = 0;

  constructor(clawkit: TestClawkit) {
    this.#clawkit = clawkit;
  }

  /** The edge's process, as it was when `begin` was called. */
  get edgePid(): number {
    return this.#edgePid;
  }

  /** Connects, or goes on with the connection it has. */
  async begin(): Promise<void> {
    const status = await this.#clawkit.untilStatus(({ state }) => state === "healthy");
    this.#edgePid = status.edge.pid!;
    const { socket } = this.#client ?? {};
    if (socket !== undefined && socket.readyState === socket.OPEN) return;
    this.#client = new TestClient(this.#clawkit.url);
    await this.#client.opened;
  }

  /** Nobody but the attacker noticed anything, and nothing of the attacker is left. */
  async assertUnharmed(): Promise<void> {
    const text = `echo ${++this.#echoes}`;
    const answer = await echo(this.#client!.socket, text).catch((error: Error) => error.message);
    const status = await this.#clawkit
      .untilStatus(({ connections, edge }) => connections === 1 && edge.held === 0, 10_000)
      .catch(() => this.#clawkit.status());
    assert.deepEqual(
      { echo: answer, edgePid: status.edge.pid, connections: status.connections, held: status.edge.held },
      { echo: text, edgePid: this.#edgePid, connections: 1, held: 0 },
    );
  }

  end(): void {
    this.#client?.socket.terminate();
  }
}

/** Sends a text and returns the next message; rejects if none comes. */
export async function echo(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, "message", { signal: AbortSignal.timeout(ECHO_MS) });
  socket.send(text);
  const [data] = await answer;
  return String(data);
}
