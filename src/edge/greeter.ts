import { randomBytes } from "node:crypto";
import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { Clock } from "../core/ports.ts";
import { FirstMessage } from "../protocol/first-message.ts";
import { FrameRelay } from "../protocol/frame-relay.ts";
import { type CloseMessage, decodeClose, encodeClose, encodeFrame, OPCODE } from "../protocol/frames.ts";
import { completeUpgrade } from "../protocol/upgrade.ts";
import { challengeFrame, readConnect, startingFrame } from "./dialects/openclaw.ts";
import { endGently } from "./ending.ts";
import { closeSocket } from "./refusal.ts";
import type { Visitor } from "./waiting-room.ts";

/** A client waits 15 s for the answer to its `connect`, and had waited 10 s for its challenge. */
const WITHHOLD_MS = 10_000;

/** From when a client has its challenge to its `connect`, as the gateway itself allows. */
const CONNECT_MS = 15_000;

/**
 * When to come back. To a gateway that is there at once, which is 100 ms to the client: who else comes is moderated by
 * the waiting room. To one that is away soon, too: the next 20 s are waited for here again, and whoever waits elsewhere
 * is late when it is ready.
 */
const READY_RETRY_MS = 0;
const AWAY_RETRY = { fromMs: 100, spreadMs: 200 };

const STARTING = { code: CLOSE.tryAgainLater, reason: "gateway starting", cause: "hold-ran-out" } as const;

interface Guest {
  readonly visitor: Visitor;
  readonly message: FirstMessage;
  /** Finds its control frames; what it would pass on has nowhere to go. */
  readonly frames: FrameRelay;
  /** Of its `connect`, once it came. */
  requestId?: string;
  timer: NodeJS.Timeout;
}

export interface GreeterDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly isReady: () => boolean;
}

/**
 * Speaks for an OpenClaw that is away to clients that have waited for it as long as they wait for an upgrade:
 * `challenged` → `asked` (its `connect` came, the answer is withheld) → told to try again, which its client does
 * silently. A connection that was answered here is never passed on: its challenge was ours, not the gateway's.
 */
export class Greeter {
  readonly #deps: GreeterDeps;
  readonly #guests = new Map<Visitor, Guest>();

  constructor(deps: GreeterDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#guests.size;
  }

  /** Completes the upgrade of a client that the waiting room let go. */
  greet(visitor: Visitor): void {
    const { socket } = visitor;
    const timer = setTimeout(() => {
      void this.#dismiss(guest, {
        code: CLOSE.policyViolation,
        reason: "connect timeout",
        cause: "refused-by-edge",
      });
    }, CONNECT_MS);
    const onControl = (opcode: number, payload: Buffer) => this.#onControl(guest, opcode, payload);
    const frames = new FrameRelay({ masked: true, allowedRsv: 0, onControl });
    const guest: Guest = { visitor, message: new FirstMessage(), frames, timer };
    this.#guests.set(visitor, guest);
    if (socket.destroyed || socket.readableEnded) return this.#leave(guest);
    socket.on("data", (chunk: Buffer) => this.#onData(guest, chunk));
    const onGone = () => this.#leave(guest);
    socket.once("end", onGone);
    socket.once("close", onGone);
    socket.write(completeUpgrade(visitor.requestHeaders));
    socket.write(challengeFrame(randomBytes(16).toString("base64url"), this.#deps.clock.wall()));
    socket.resume();
    if (visitor.early.length > 0) this.#onData(guest, visitor.early);
  }

  /** The gateway is there: whoever asked is sent to it. */
  gatewayReady(): void {
    for (const guest of this.#guests.values()) if (guest.requestId !== undefined) this.#sendAway(guest);
  }

  async dismissAll(close: { code: number; reason: string; cause: CauseId }): Promise<void> {
    await Promise.all([...this.#guests.values()].map((guest) => this.#dismiss(guest, close)));
  }

  #onData(guest: Guest, chunk: Buffer): void {
    const violation = guest.frames.push(chunk);
    guest.frames.out.length = 0;
    if (!this.#guests.has(guest.visitor)) return; // it has closed
    if (violation !== undefined) {
      const { code, message } = violation;
      void this.#dismiss(guest, { code, reason: message, cause: "protocol-violation" });
      return;
    }
    if (guest.requestId !== undefined) return; // it has nothing more to say
    const found = guest.message.push(chunk);
    if (found === "more") return;
    const connect = found === undefined ? undefined : readConnect(found.text);
    if (connect?.requestId === undefined) {
      const reason = "invalid handshake: first request must be connect";
      void this.#dismiss(guest, { code: CLOSE.policyViolation, reason, cause: "refused-by-edge" });
      return;
    }
    guest.visitor.track.identified(connect.client);
    guest.requestId = connect.requestId;
    clearTimeout(guest.timer);
    if (this.#deps.isReady()) this.#sendAway(guest);
    else guest.timer = setTimeout(() => this.#sendAway(guest), WITHHOLD_MS);
  }

  #onControl(guest: Guest, opcode: number, payload: Buffer): boolean {
    const { socket } = guest.visitor;
    // one that asks and does not read gets no answers
    if (opcode === OPCODE.ping && socket.writable && !socket.writableNeedDrain)
      socket.write(encodeFrame(OPCODE.pong, payload));
    if (opcode === OPCODE.close) this.#closedBy(guest, decodeClose(payload) as CloseMessage);
    return false;
  }

  /** The client wants to wait no longer: its own words are its answer. */
  #closedBy(guest: Guest, { code = CLOSE.normal, reason }: CloseMessage): void {
    if (!this.#forget(guest)) return;
    guest.visitor.track.closed({ by: "client", code, reason, phase: "handshake", cause: "client-gave-up" });
    const { socket } = guest.visitor;
    if (socket.writable) socket.write(encodeClose(code, reason));
    endGently(socket);
  }

  #sendAway(guest: Guest): void {
    const { fromMs, spreadMs } = AWAY_RETRY;
    const retryAfterMs = this.#deps.isReady() ? READY_RETRY_MS : fromMs + this.#deps.random() * spreadMs;
    if (guest.visitor.socket.writable)
      guest.visitor.socket.write(startingFrame(guest.requestId!, retryAfterMs));
    void this.#dismiss(guest, STARTING);
  }

  #dismiss(guest: Guest, close: { code: number; reason: string; cause: CauseId }): Promise<void> {
    if (!this.#forget(guest)) return Promise.resolve();
    guest.visitor.track.closed({ by: "edge", phase: "handshake", ...close });
    return closeSocket(guest.visitor.socket, close);
  }

  #leave(guest: Guest): void {
    if (!this.#forget(guest)) return;
    guest.visitor.track.closed({
      by: "client",
      code: undefined,
      reason: "client left before it was served",
      phase: "handshake",
      cause: "client-gave-up",
    });
    guest.visitor.socket.destroy();
  }

  #forget(guest: Guest): boolean {
    clearTimeout(guest.timer);
    guest.visitor.socket.removeAllListeners("data");
    return this.#guests.delete(guest.visitor);
  }
}
