import type { Socket } from "node:net";
import { hostOf } from "../core/address-ranges.ts";
import type { Clock } from "../core/ports.ts";

/** A handshake younger than this is not slow: a thousand clients that come back at once are welcome. */
const SLOW_MS = 1_000;
const SWEEP_MS = 500;

/**
 * Bounds the connections of one address, or IPv6 /64, that are slow to send their request head. Those beyond the limit are
 * dropped, the oldest first.
 */
export class HandshakeGuard {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #startedAt = new Map<Socket, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(limitPerAddress: number, clock: Clock) {
    this.#limit = limitPerAddress;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  begin(socket: Socket): void {
    this.#startedAt.set(socket, this.#clock.now());
  }

  /** The request head is complete, or the connection is over. */
  done(socket: Socket): void {
    this.#startedAt.delete(socket);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const slowSince = this.#clock.now() - SLOW_MS;
    const slow = new Map<string, Socket[]>();
    for (const [socket, startedAt] of this.#startedAt) {
      if (startedAt > slowSince) break; // in order of their start
      const host = hostOf(socket.remoteAddress ?? "");
      const sockets = slow.get(host);
      if (sockets === undefined) slow.set(host, [socket]);
      else sockets.push(socket);
    }
    for (const sockets of slow.values()) {
      for (const socket of sockets.slice(0, Math.max(0, sockets.length - this.#limit))) socket.destroy();
    }
  }
}
