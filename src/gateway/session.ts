import type { WebSocket } from "ws";
import { type EncodedEvent, type ErrorShape, errorFrame, responseFrame } from "./frames.ts";
import type { Accepted, Caller } from "./handshake.ts";

/** What hello-ok promises: bytes of one frame after authentication, and unsent bytes before a slow consumer is cut. */
export const MAX_PAYLOAD = 25 * 1024 * 1024;
export const MAX_BUFFERED = 50 * 1024 * 1024;

/** One authenticated connection. */
export class Session {
  readonly connId: string;
  readonly caller: Caller;
  readonly client: Accepted["params"]["client"];
  readonly role: Accepted["role"];
  readonly scopes: readonly string[];
  readonly connectedAt: number;
  readonly #socket: WebSocket;
  #seq = 0;

  constructor(
    connId: string,
    socket: WebSocket,
    options: { caller: Caller; accepted: Accepted; now: number },
  ) {
    this.connId = connId;
    this.#socket = socket;
    this.caller = options.caller;
    this.client = options.accepted.params.client;
    this.role = options.accepted.role;
    this.scopes = options.accepted.scopes;
    this.connectedAt = options.now;
  }

  sendEvent(event: EncodedEvent): void {
    if (this.#isTooSlow()) return;
    this.#socket.send(event.withSeq(++this.#seq));
  }

  respond(id: string, payload: unknown): void {
    if (!this.#isTooSlow()) this.#socket.send(responseFrame(id, payload));
  }

  respondError(id: string, error: ErrorShape): void {
    if (!this.#isTooSlow()) this.#socket.send(errorFrame(id, error));
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #isTooSlow(): boolean {
    if (this.#socket.bufferedAmount <= MAX_BUFFERED) return false;
    this.close(1008, "slow consumer");
    return true;
  }
}
