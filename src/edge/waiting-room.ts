import type { Socket } from "node:net";
import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { Clock } from "../core/ports.ts";
import { type Held, HoldQueue } from "../policy/hold.ts";
import type { Headers } from "../protocol/headers.ts";
import { offerHeaders } from "../protocol/link-protocol.ts";
import { allowedRsvOf, responseHead } from "../protocol/upgrade.ts";
import type { ConnectionTrack } from "./connection-log.ts";
import { dial, edgeKeyOf } from "./dial.ts";
import type { GatewayMonitor } from "./gateway-monitor.ts";
import { closeUpgrade, forwardRefusal } from "./refusal.ts";

/** Bytes a client may send before its upgrade is answered; a client has no business to send any. */
const MAX_EARLY_BYTES = 64 * 1024;

const SWEEP_MS = 200;

/** Pause before a handshake that failed is tried again while the gateway still counts as ready. */
const RETRY_MS = 100;

/** Answers to an upgrade that say "not now": Bad Gateway, Service Unavailable, Gateway Timeout. */
const TRANSIENT = new Set([502, 503, 504]);

/** A client between its complete upgrade request and the gateway's answer. */
export interface Visitor extends Held {
  readonly socket: Socket;
  readonly track: ConnectionTrack;
  readonly clientAddress: string;
  /** The client's own headers, as they came: what we answer with ourselves depends on them. */
  readonly requestHeaders: Headers;
  /** What goes to the gateway. */
  readonly path: string;
  readonly headers: Headers;
  early: Buffer;
}

export interface Admitted {
  readonly visitor: Visitor;
  readonly gateway: Socket;
  readonly gatewayHead: Buffer;
  readonly allowedRsv: number;
  readonly generation: number;
  /** Whether its link outlives the gateway. */
  readonly resumes: boolean;
}

export interface WaitingRoomDeps {
  readonly clock: Clock;
  readonly monitor: GatewayMonitor;
  /** Whether a client that was let in keeps its place until `handshakeDone`. */
  readonly isPlaceKept: boolean;
  readonly onAdmitted: (admitted: Admitted) => void;
  /** Takes over a client whose time ran out; without it such a client is told 1013. */
  readonly onOverdue?: (visitor: Visitor) => void;
}

/** Holds clients until the gateway answers their upgrade, and lets them go when their time runs out. */
export class WaitingRoom {
  readonly #deps: WaitingRoomDeps;
  readonly #queue = new HoldQueue<Visitor>();
  readonly #aborts = new Map<Visitor, AbortController>();
  readonly #listeners = new Map<Visitor, () => void>();
  readonly #sweepTimer: NodeJS.Timeout;
  #retryTimer: NodeJS.Timeout | undefined;
  #isPumpPlanned = false;

  constructor(deps: WaitingRoomDeps) {
    this.#deps = deps;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Clients without an answer. */
  get size(): number {
    return this.#queue.size;
  }

  enter(visitor: Visitor): void {
    const { socket } = visitor;
    const onData = (chunk: Buffer) => {
      visitor.early = Buffer.concat([visitor.early, chunk]);
      if (visitor.early.length > MAX_EARLY_BYTES) socket.pause();
    };
    // reading on is how we notice that a client gave up
    socket.on("data", onData);
    const onGone = () => this.#leave(visitor);
    socket.on("end", onGone);
    socket.on("close", onGone);
    this.#listeners.set(visitor, () => {
      socket.off("data", onData);
      socket.off("end", onGone);
      socket.off("close", onGone);
    });
    this.#queue.add(visitor);
    this.pump();
  }

  /** Lets clients go on to the gateway, as many as it takes at once. Runs at the end of the turn, once. */
  pump(): void {
    if (this.#isPumpPlanned) return;
    this.#isPumpPlanned = true;
    setImmediate(() => {
      this.#isPumpPlanned = false;
      if (this.#deps.monitor.state !== "ready") return;
      for (const visitor of this.#queue.start()) void this.#tryGateway(visitor);
    });
  }

  /** The gateway has answered a client whose place was kept. */
  handshakeDone(visitor: Visitor): void {
    this.#queue.remove(visitor);
    this.pump();
  }

  /** Answers everyone who waits with a close frame; resolves when they have it. */
  async dismissAll(close: { code: number; reason: string; cause: CauseId }): Promise<void> {
    await Promise.all(this.#queue.entries().map((visitor) => this.#dismiss(visitor, close)));
  }

  stop(): void {
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#retryTimer);
  }

  async #tryGateway(visitor: Visitor): Promise<void> {
    const { monitor } = this.#deps;
    const run = monitor.run;
    if (run === undefined) return this.#retryLater(visitor);
    const abort = new AbortController();
    this.#aborts.set(visitor, abort);
    const offer = { link: visitor.track.id, received: 0, tried: 0, stale: 0 };
    const resumes = run.resumes === true ? offerHeaders(offer) : [];
    const request = { path: visitor.path, headers: [...visitor.headers, ...edgeKeyOf(run), ...resumes] };
    const result = await dial(run.address, request, abort.signal);
    this.#aborts.delete(visitor);
    if (abort.signal.aborted) {
      if (result.kind === "open") result.socket.destroy();
      if (result.kind === "refused") result.response.destroy();
      return;
    }
    switch (result.kind) {
      case "open": {
        this.#unlisten(visitor);
        if (this.#deps.isPlaceKept) this.#queue.admit(visitor);
        else this.#queue.remove(visitor);
        visitor.track.served(run.generation);
        visitor.socket.write(responseHead(101, "Switching Protocols", result.headers), "latin1");
        const allowedRsv = allowedRsvOf(result.headers);
        const { socket: gateway, head: gatewayHead } = result;
        this.#deps.onAdmitted({
          visitor,
          gateway,
          gatewayHead,
          allowedRsv,
          generation: run.generation,
          resumes: run.resumes === true,
        });
        break;
      }
      case "refused":
        if (TRANSIENT.has(result.response.statusCode ?? 0)) {
          // a gateway that is coming up or going down behind its own HTTP server: the same as being away
          result.response.destroy();
          this.#retryLater(visitor);
          break;
        }
        this.#release(visitor);
        visitor.track.closed({
          by: "gateway",
          code: undefined,
          reason: `gateway answered the upgrade with HTTP ${result.response.statusCode}`,
          phase: "handshake",
          cause: "gateway-refused-upgrade",
        });
        forwardRefusal(visitor.socket, result.response);
        break;
      case "broken":
        void this.#dismiss(visitor, {
          code: CLOSE.internalError,
          reason: "gateway answered the upgrade with a wrong key",
          cause: "gateway-refused-upgrade",
        });
        break;
      case "failed":
        this.#retryLater(visitor);
        monitor.doubt();
        break;
    }
    this.pump();
  }

  #retryLater(visitor: Visitor): void {
    this.#queue.putBack(visitor);
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.pump();
    }, RETRY_MS);
  }

  #sweep(): void {
    for (const visitor of this.#queue.expired(this.#deps.clock.now())) {
      if (this.#deps.onOverdue !== undefined) {
        this.#abort(visitor);
        this.#release(visitor);
        this.#deps.onOverdue(visitor);
        continue;
      }
      const { state, explanation } = this.#deps.monitor;
      const why = state === "ready" ? "gateway is slow to answer" : explanation;
      void this.#dismiss(visitor, {
        code: CLOSE.tryAgainLater,
        reason: `${why}; try again later, or run: clawkit gateway status`,
        cause: "hold-ran-out",
      });
    }
  }

  #dismiss(visitor: Visitor, close: { code: number; reason: string; cause: CauseId }): Promise<void> {
    this.#abort(visitor);
    this.#release(visitor);
    this.pump(); // its place is free for the next one
    visitor.track.closed({ by: "edge", phase: "handshake", ...close });
    return closeUpgrade(visitor.socket, visitor.requestHeaders, close);
  }

  /** The client gave up. */
  #leave(visitor: Visitor): void {
    this.#abort(visitor);
    this.#release(visitor);
    visitor.track.closed({
      by: "client",
      code: undefined,
      reason: "client left before it was served",
      phase: "handshake",
      cause: "client-gave-up",
    });
    visitor.socket.destroy();
    this.pump();
  }

  #abort(visitor: Visitor): void {
    this.#aborts.get(visitor)?.abort();
    this.#aborts.delete(visitor);
  }

  /** Takes the client out of the room, with no listener of ours left on its socket. */
  #release(visitor: Visitor): void {
    this.#queue.remove(visitor);
    this.#unlisten(visitor);
  }

  #unlisten(visitor: Visitor): void {
    this.#listeners.get(visitor)?.();
    this.#listeners.delete(visitor);
  }
}
