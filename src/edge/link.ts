import type { Socket } from "node:net";
import { CLOSE } from "../core/close-codes.ts";
import type { KeepaliveState } from "../policy/keepalive.ts";
import { FrameRelay } from "../protocol/frame-relay.ts";
import { type CloseMessage, decodeClose, encodeClose, encodeFrame, OPCODE } from "../protocol/frames.ts";
import { CLOSE_ANSWER_MS, endGently } from "./ending.ts";
import { keepChunk, shareReads } from "./shared-reads.ts";

/** Which side ended a link first, and with what. First cause wins. */
export interface LinkEnd {
  readonly by: "client" | "gateway" | "edge" | "network";
  readonly code: number | undefined;
  readonly reason: string;
}

export interface LinkOptions {
  readonly client: Socket;
  readonly gateway: Socket;
  /** RSV bits that the negotiated extensions use. */
  readonly allowedRsv: number;
  readonly clientAddress: string;
  /** The life of the gateway this link belongs to. */
  readonly generation: number;
  readonly keepalive: KeepaliveState;
  /** The gateway's socket ended without a Close frame: somebody has to find out why and call `end`. */
  readonly onGatewayLost: (link: Link) => void;
  readonly onEnded: (link: Link, end: LinkEnd) => void;
}

/** Pings of the edge carry this, so that their pongs are told from those the gateway asked for. */
const EDGE_PING_PAYLOAD = Buffer.from("clawkit");
const EDGE_PING = encodeFrame(OPCODE.ping, EDGE_PING_PAYLOAD);

/** A closing handshake between two living sides is a matter of a round trip; `ws` clients give up after 30 s. */
const CLOSING_MS = 5_000;

/** The edge does not hide what it sends to the gateway; a mask of zeros is a valid one (RFC 6455 §5.3). */
const NO_MASK = Buffer.alloc(4);

const kLink = Symbol("link");

interface LinkSocket extends Socket {
  [kLink]?: Link;
}

/**
 * The pair of a client's connection and the gateway's, and the relay between them.
 *
 * `open` → `closing` (a Close frame passed in either direction) → `ended`
 * `open` → `orphaned` (the gateway is gone, the reason is looked for) → `ending` (our Close frame is sent, what
 * the client still sends is discarded) → `ended`
 *
 * Both relays always stop at a frame boundary, so a Close frame can be written at any time between two reads.
 */
export class Link {
  readonly client: Socket;
  readonly clientAddress: string;
  readonly generation: number;
  readonly keepalive: KeepaliveState;
  /** Set by any byte of the client; whoever looks resets it. */
  heard = true;

  readonly #gateway: Socket;
  readonly #options: LinkOptions;
  readonly #toGateway: FrameRelay;
  readonly #toClient: FrameRelay;
  #state: "open" | "closing" | "orphaned" | "ending" | "ended" = "open";
  #clientClose: CloseMessage | undefined;
  #gatewayClose: CloseMessage | undefined;
  #end: LinkEnd | undefined;
  #answerTimer: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.client = options.client;
    this.clientAddress = options.clientAddress;
    this.generation = options.generation;
    this.keepalive = options.keepalive;
    this.#gateway = options.gateway;
    const { allowedRsv } = options;
    this.#toGateway = new FrameRelay({
      masked: true,
      allowedRsv,
      onControl: (opcode, payload) => this.#onClientControl(opcode, payload),
    });
    this.#toClient = new FrameRelay({
      masked: false,
      allowedRsv,
      onControl: (opcode, payload) => this.#onGatewayControl(opcode, payload),
    });
  }

  /** Starts the relay, beginning with what was read behind the two upgrade heads. */
  start(clientHead: Buffer, gatewayHead: Buffer): void {
    const client: LinkSocket = this.client;
    const gateway: LinkSocket = this.#gateway;
    client[kLink] = this;
    gateway[kLink] = this;
    client.on("data", clientOnData);
    client.on("drain", clientOnDrain);
    client.on("end", clientOnEnd);
    client.on("close", clientOnEnd);
    client.on("error", ignoreError); // 'close' follows and is what matters
    gateway.on("data", gatewayOnData);
    gateway.on("drain", gatewayOnDrain);
    gateway.on("end", gatewayOnEnd);
    gateway.on("close", gatewayOnEnd);
    gateway.on("error", ignoreError);
    shareReads(client);
    shareReads(gateway);
    if (gatewayHead.length > 0) this.fromGateway(gatewayHead);
    if (clientHead.length > 0) this.fromClient(clientHead);
    // whoever held the client may have paused it, and a stream paused on purpose does not resume by itself
    if (!gateway.writableNeedDrain) client.resume();
  }

  /** Whether frames still flow: only then does silence mean anything. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether reading from the client is stopped because the gateway is slow. */
  get isClientPaused(): boolean {
    return this.client.isPaused();
  }

  ping(): void {
    this.client.write(EDGE_PING);
  }

  /** Ends the link with a Close frame of ours to the client; the first end is the one that counts. */
  end(code: number, reason: string, by: LinkEnd["by"] = "edge"): void {
    if (this.#state !== "open" && this.#state !== "orphaned" && this.#state !== "closing") return;
    if (this.#gatewayClose !== undefined) {
      // the client has its Close frame already, from the gateway itself
      this.#finish();
      return;
    }
    this.#state = "ending";
    this.#end ??= { by, code, reason };
    this.client.write(encodeClose(code, reason));
    this.#awaitAnswer();
    this.#endGateway(CLOSE.goingAway, "client connection ended by the edge");
    if (this.#clientClose !== undefined) this.#finish();
  }

  fromClient(chunk: Buffer): void {
    this.heard = true;
    if (this.#state === "ended") return;
    const violation = this.#toGateway.push(chunk);
    if (this.#state === "open" || this.#state === "closing") {
      if (!passOn(this.#toGateway, chunk, this.#gateway)) this.client.pause();
    } else {
      this.#toGateway.out.length = 0;
      if (this.#toGateway.holdsInput) keepChunk(chunk);
    }
    if (violation !== undefined) this.end(violation.code, violation.message, "client");
    else if (this.#state === "ending" && this.#clientClose !== undefined) this.#finish();
  }

  fromGateway(chunk: Buffer): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    const violation = this.#toClient.push(chunk);
    if (!passOn(this.#toClient, chunk, this.client)) this.#gateway.pause();
    if (violation !== undefined) {
      this.end(CLOSE.internalError, `gateway broke the WebSocket protocol: ${violation.message}`, "gateway");
    }
  }

  clientDrained(): void {
    this.#gateway.resume();
  }

  gatewayDrained(): void {
    if (this.#state === "open" || this.#state === "closing") this.client.resume();
  }

  /** FIN or the end of the client's socket. */
  clientGone(): void {
    if (this.#state === "ended") return;
    const close = this.#clientClose ?? this.#gatewayClose;
    this.#end ??=
      close === undefined
        ? { by: "network", code: undefined, reason: "client ended without a close frame" }
        : {
            by: this.#clientClose === undefined ? "gateway" : "client",
            code: close.code,
            reason: close.reason,
          };
    this.#endGateway(CLOSE.goingAway, "client is gone");
    this.#finish();
  }

  /** EOF or the end of the gateway's socket. */
  gatewayGone(): void {
    if (this.#state === "closing") {
      if (this.#gatewayClose !== undefined) {
        this.#end ??= { by: "gateway", ...this.#gatewayClose };
        this.#awaitClientClose();
      } else {
        this.#answerClientClose();
      }
    } else if (this.#state === "open") {
      this.#state = "orphaned";
      this.client.resume();
      this.#options.onGatewayLost(this);
    }
  }

  #onClientControl(opcode: number, payload: Buffer): boolean {
    if (opcode === OPCODE.pong) return !payload.equals(EDGE_PING_PAYLOAD);
    if (opcode === OPCODE.close) {
      this.#clientClose = decodeClose(payload) as CloseMessage;
      this.#beginClosing();
    }
    return true;
  }

  #onGatewayControl(opcode: number, payload: Buffer): boolean {
    if (opcode === OPCODE.close) {
      this.#gatewayClose = decodeClose(payload) as CloseMessage;
      this.#beginClosing();
    }
    return true;
  }

  /** The gateway closed properly and is gone: its client gets time for its own Close frame. */
  #awaitClientClose(): void {
    if (this.#clientClose !== undefined) {
      this.#finish();
      return;
    }
    this.#state = "ending";
    this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    this.client.resume();
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#finish(), CLOSE_ANSWER_MS);
  }

  /** A Close frame passed: from here on the link has a bounded time to end. */
  #beginClosing(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#answerTimer = setTimeout(() => this.#closingTookTooLong(), CLOSING_MS);
  }

  /** A busy gateway did not answer its client's Close frame, or one side did not end after both were sent. */
  #closingTookTooLong(): void {
    if (this.#gatewayClose === undefined) this.#answerClientClose();
    else this.#finish();
  }

  /** The client asked to close and nobody else will answer: its own words do. */
  #answerClientClose(): void {
    const { code, reason } = this.#clientClose!;
    this.#end ??= { by: "client", code, reason };
    this.#state = "ending";
    this.client.write(code === undefined ? EMPTY_CLOSE : encodeClose(code, reason));
    this.#finish();
  }

  #endGateway(code: number, reason: string): void {
    const gateway = this.#gateway;
    if (gateway.destroyed || gateway.writableEnded) return;
    if (this.#clientClose === undefined && gateway.writable)
      gateway.write(encodeClose(code, reason, NO_MASK));
    endGently(gateway);
  }

  #finish(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#answerTimer);
    this.#endGateway(CLOSE.goingAway, "client is gone");
    endGently(this.client);
    this.#options.onEnded(this, this.#end ?? { by: "edge", code: undefined, reason: "" });
  }
}

const EMPTY_CLOSE = encodeFrame(OPCODE.close, Buffer.alloc(0));

/** Writes what the relay has ready of this chunk; false if the receiver wants no more for now. */
function passOn(relay: FrameRelay, chunk: Buffer, receiver: Socket): boolean {
  const { out } = relay;
  if (out.length === 1) {
    receiver.write(out[0]!);
  } else if (out.length > 1) {
    receiver.cork();
    for (const piece of out) receiver.write(piece);
    receiver.uncork();
  }
  out.length = 0;
  if (receiver.writableLength > 0 || relay.holdsInput) keepChunk(chunk);
  return !receiver.writableNeedDrain;
}

function clientOnData(this: LinkSocket, chunk: Buffer): void {
  this[kLink]!.fromClient(chunk);
}

function clientOnDrain(this: LinkSocket): void {
  this[kLink]!.clientDrained();
}

function clientOnEnd(this: LinkSocket): void {
  this[kLink]!.clientGone();
}

function gatewayOnData(this: LinkSocket, chunk: Buffer): void {
  this[kLink]!.fromGateway(chunk);
}

function gatewayOnDrain(this: LinkSocket): void {
  this[kLink]!.gatewayDrained();
}

function gatewayOnEnd(this: LinkSocket): void {
  this[kLink]!.gatewayGone();
}

function ignoreError(): void {}
