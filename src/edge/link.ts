import type { Socket } from "node:net";
import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import { systemErrorCode } from "../core/errors.ts";
import type { KeepaliveState } from "../policy/keepalive.ts";
import { FrameRelay } from "../protocol/frame-relay.ts";
import { type CloseMessage, decodeClose, encodeClose, encodeFrame, OPCODE } from "../protocol/frames.ts";
import { decodeNote, encodeNote, type LinkNote, type LinkOffer } from "../protocol/link-protocol.ts";
import type { Ending, Traffic } from "./connection-log.ts";
import { CLOSE_ANSWER_MS, endGently } from "./ending.ts";
import { causeOfViolation, endByClient, endByGateway, endWithoutClose } from "./link-ends.ts";
import { LinkRetention } from "./link-retention.ts";
import { letGo, listenToClient, listenToGateway, type SocketsOwner } from "./link-sockets.ts";
import { keepChunk, shareReads } from "./shared-reads.ts";

export interface LinkOptions {
  readonly client: Socket;
  readonly gateway: Socket;
  /** RSV bits that the negotiated extensions use. */
  readonly allowedRsv: number;
  readonly clientAddress: string;
  /** The life of the gateway this link belongs to. */
  readonly generation: number;
  readonly keepalive: KeepaliveState;
  /** Is shown the client's bytes until it says that it has seen enough. */
  readonly onFirstBytes?: (chunk: Buffer) => "more" | "enough";
  /** Whether the link outlives this gateway: the next one goes on with it (docs/link-protocol.md). */
  readonly resumes?: boolean;
  /** The gateway has sent its second message: in OpenClaw's protocol, after its challenge, the answer to `connect`. */
  readonly onAnswered?: () => void;
}

/** What all links of an edge share: one object, as a link is held for hours and thousands of them are. */
export interface LinkHost {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onRtt: (ms: number) => void;
  /** The gateway's socket ended without a Close frame: somebody has to find out why and call `end`. */
  readonly onGatewayLost: (link: Link) => void;
  /** The same on a link that outlives its gateway: somebody has to `attach` it to the next one, or to call `end`. */
  readonly onDetached: (link: Link) => void;
  /** Messages of the gateway are passed on that it does not know of: `acknowledge` is due soon. */
  readonly onUnacknowledged: (link: Link) => void;
  /** The client has sent a message, on a link that outlives its gateway. */
  readonly onRetained: (link: Link) => void;
  /** Bytes that all links hold for the next gateway. */
  readonly retained: { bytes: number };
  readonly onEnded: (link: Link, end: Ending) => void;
}

/** Pings of the edge carry this, so that their pongs are told from those the gateway asked for. */
const EDGE_PING_PAYLOAD = Buffer.from("clawkit");
const EDGE_PING = encodeFrame(OPCODE.ping, EDGE_PING_PAYLOAD);

/** OpenClaw's challenge, and its answer to `connect`; the pongs that a client can ask for are no messages. */
const GREETING_MESSAGES = 2;

/** A closing handshake between two living sides is a matter of a round trip; `ws` clients give up after 30 s. */
const CLOSING_MS = 5_000;

/** The edge does not hide what it sends to the gateway; a mask of zeros is a valid one (RFC 6455 §5.3). */
const NO_MASK = Buffer.alloc(4);

/** What the client is told if the next gateway cannot go on where the last one was. */
export const STATE_LOST = "gateway state lost, reconnect";

/** A gateway's connection to go on with. */
export interface Attached {
  readonly gateway: Socket;
  /** What was read behind its answer. */
  readonly head: Buffer;
  readonly stored: number;
  readonly generation: number;
}

/**
 * The pair of a client's connection and the gateway's, and the relay between them.
 *
 * `open` → `closing` (a Close frame passed in either direction) → `ended`
 * `open` → `orphaned` (the gateway is gone, the reason is looked for) → `ending` (our Close frame is sent, what
 * the client still sends is discarded) → `ended`
 *
 * A link that outlives its gateway goes `open` → `detached` → `open` instead, and holds what its client sent until the
 * gateway has stored it.
 *
 * Both relays always stop at a frame boundary, so a Close frame can be written at any time between two reads.
 */
export class Link implements SocketsOwner {
  readonly client: Socket;
  readonly clientAddress: string;
  readonly keepalive: KeepaliveState;
  generation: number;
  /** Set by any byte of the client; whoever looks takes it with `takeHeard`. */
  #heard = true;
  #heardAt: number;
  #pingedAt = 0;
  #rttMs: number | null = null;
  #onFirstBytes: LinkOptions["onFirstBytes"];
  #onAnswered: LinkOptions["onAnswered"];

  #gateway: Socket;
  readonly #host: LinkHost;
  readonly #toGateway: FrameRelay;
  readonly #toClient: FrameRelay;
  readonly #retention: LinkRetention | undefined;
  #state: "open" | "detached" | "closing" | "orphaned" | "ending" | "ended" = "open";
  #clientClose: CloseMessage | undefined;
  #gatewayClose: CloseMessage | undefined;
  #end: Omit<Ending, "phase"> | undefined;
  #phase: Ending["phase"] = "open";
  #clientError: string | undefined;
  #answerTimer: NodeJS.Timeout | undefined;

  /** Keeps nothing of `options` itself: what its callbacks hold is let go with them. */
  constructor(options: LinkOptions, host: LinkHost) {
    this.#host = host;
    this.client = options.client;
    this.clientAddress = options.clientAddress;
    this.generation = options.generation;
    this.keepalive = options.keepalive;
    this.#gateway = options.gateway;
    this.#heardAt = host.now();
    this.#onFirstBytes = options.onFirstBytes;
    this.#onAnswered = options.onAnswered;
    const { allowedRsv } = options;
    this.#retention = options.resumes ? new LinkRetention(host) : undefined;
    this.#toGateway = new FrameRelay({
      masked: true,
      allowedRsv,
      onControl: (opcode, payload) => this.#onClientControl(opcode, payload),
      ...(this.#retention === undefined ? {} : { onMessageEnd: () => this.#retainMessage() }),
    });
    this.#toClient = new FrameRelay({
      masked: false,
      allowedRsv,
      onControl: (opcode, payload) => this.#onGatewayControl(opcode, payload),
    });
  }

  /** Starts the relay, beginning with what was read behind the two upgrade heads. */
  start(clientHead: Buffer, gatewayHead: Buffer): void {
    listenToClient(this.client, this);
    shareReads(this.client);
    this.#listenToGateway();
    if (gatewayHead.length > 0) this.fromGateway(gatewayHead);
    if (clientHead.length > 0) this.fromClient(clientHead);
    // whoever held the client may have paused it, and a stream paused on purpose does not resume by itself
    if (!this.#gateway.writableNeedDrain) this.client.resume();
  }

  #listenToGateway(): void {
    listenToGateway(this.#gateway, this);
    shareReads(this.#gateway);
  }

  /** Whether frames still flow, or will again: only then does silence mean anything. */
  get isOpen(): boolean {
    return this.#state === "open" || this.#state === "detached";
  }

  get isDetached(): boolean {
    return this.#state === "detached";
  }

  /** What the next gateway is told of a detached link. */
  get offer(): Omit<LinkOffer, "link"> {
    return this.#retention!.offer(this.#toClient.messages);
  }

  /** Lets go of a gateway that ends as planned: what it took is in its journal, and nothing of it is suspect, unless it is `lost`. */
  detach(): void {
    if (this.#state !== "open" || this.#retention === undefined) return;
    this.#leaveGateway();
  }

  /** The gateway that it was detached from did not end as planned. */
  lost(): void {
    if (this.isDetached) this.#retention!.lost();
  }

  #leaveGateway(): void {
    this.#state = "detached";
    this.#retention!.detached();
    letGo(this.#gateway);
    this.#gateway.destroy();
    this.client.resume();
    this.#host.onDetached(this);
  }

  /** Goes on with the next gateway, which has `stored` of the client's messages. */
  attach({ gateway, head, stored, generation }: Attached): void {
    const retention = this.#retention!;
    if (!retention.acknowledged(stored)) {
      gateway.destroy();
      this.end(CLOSE.serviceRestart, STATE_LOST, { by: "edge", cause: "link-state-lost" });
      return;
    }
    this.#gateway = gateway;
    this.generation = generation;
    this.#state = "open";
    this.#toClient.restart();
    retention.attached(this.#toClient.messages);
    this.#listenToGateway();
    gateway.cork();
    for (const frames of retention.frames()) gateway.write(frames);
    gateway.uncork();
    if (head.length > 0) this.fromGateway(head);
    this.#regulate();
  }

  /** Tells the gateway how many of its messages are passed on. */
  acknowledge(): void {
    if (this.#state !== "open" || !this.#gateway.writable) return;
    const n = this.#retention!.due(this.#toClient.messages);
    if (n !== undefined)
      this.#gateway.write(encodeFrame(OPCODE.pong, encodeNote({ kind: "ack", n }), NO_MASK));
  }

  /** Whether reading from the client is stopped because the gateway is slow. */
  get isClientPaused(): boolean {
    return this.client.isPaused();
  }

  /** Whether any byte came from the client since the last call. */
  takeHeard(now: number): boolean {
    const heard = this.#heard;
    if (heard) this.#heardAt = now;
    this.#heard = false;
    return heard;
  }

  get traffic(): Traffic {
    return {
      bytesIn: this.client.bytesRead,
      bytesOut: this.client.bytesWritten,
      framesIn: this.#toGateway.frames,
      framesOut: this.#toClient.frames,
      lastActivity: this.#heard ? this.#host.now() : this.#heardAt,
      rttMs: this.#rttMs,
    };
  }

  ping(): void {
    this.#pingedAt = this.#host.now();
    this.client.write(EDGE_PING);
  }

  /** Sends a message of the edge's own to a client that had its hello; in the middle of another it is left out. */
  inject(message: Buffer): void {
    if (this.isOpen && this.#takesMessage) this.client.write(message);
  }

  /**
   * Ends the link with a Close frame of ours to the client; the first end is the one that counts. `farewell` is a
   * message to go before it, to a client that had its hello; in the middle of another message there is no place for it.
   */
  end(
    code: number,
    reason: string,
    { farewell, ...why }: { by: Ending["by"]; cause: CauseId; farewell?: Buffer },
  ): void {
    if (!this.isOpen && this.#state !== "orphaned" && this.#state !== "closing") return;
    if (this.#gatewayClose !== undefined) {
      // the client has its Close frame already, from the gateway itself
      this.#finish();
      return;
    }
    this.#state = "ending";
    this.#end ??= { code, reason, ...why };
    if (farewell !== undefined && this.#takesMessage && this.#clientClose === undefined) {
      this.client.write(farewell);
    }
    this.client.write(encodeClose(code, reason));
    this.#awaitAnswer();
    this.#endGateway(CLOSE.goingAway, "client connection ended by the edge");
    if (this.#clientClose !== undefined) this.#finish();
  }

  get #isGreeted(): boolean {
    return this.#toClient.messages >= GREETING_MESSAGES;
  }

  /** Whether a message of the edge's own may follow what was passed on so far. */
  get #takesMessage(): boolean {
    return this.#isGreeted && !this.#toClient.midMessage;
  }

  fromClient(chunk: Buffer): void {
    this.#heard = true;
    if (this.#onFirstBytes?.(chunk) === "enough") this.#onFirstBytes = undefined;
    if (this.#state === "ended") return;
    const violation = this.#toGateway.push(chunk);
    if (this.#retention !== undefined && this.isOpen) {
      this.#retain();
      if (this.#toGateway.holdsInput) keepChunk(chunk);
      this.#regulate();
    } else if (this.#state === "open" || this.#state === "closing") {
      if (!passOn(this.#toGateway, chunk, this.#gateway)) this.client.pause();
    } else {
      this.#toGateway.out.length = 0;
      if (this.#toGateway.holdsInput) keepChunk(chunk);
    }
    if (violation !== undefined) {
      this.end(violation.code, violation.message, { by: "client", cause: causeOfViolation(violation.code) });
    } else if (this.#state === "ending" && this.#clientClose !== undefined) this.#finish();
  }

  fromGateway(chunk: Buffer): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    const violation = this.#toClient.push(chunk);
    if (!passOn(this.#toClient, chunk, this.client)) this.#gateway.pause();
    if (this.#retention !== undefined) this.#passedOn(this.#retention);
    if (this.#onAnswered !== undefined && this.#isGreeted) this.#answered();
    if (violation !== undefined) {
      const reason = `gateway broke the WebSocket protocol: ${violation.message}`;
      this.end(CLOSE.internalError, reason, { by: "gateway", cause: "protocol-violation" });
    }
  }

  #passedOn(retention: LinkRetention): void {
    if (retention.passedOn(this.#toClient.messages)) this.#host.onUnacknowledged(this);
    // what was refused is held no more
    if (this.isClientPaused) this.#regulate();
  }

  #answered(): void {
    this.#onAnswered?.();
    this.#onAnswered = undefined;
  }

  clientDrained(): void {
    this.#gateway.resume();
  }

  gatewayDrained(): void {
    if (this.#retention !== undefined && this.#state === "open") this.#regulate();
    else if (this.#state === "open" || this.#state === "closing") this.client.resume();
  }

  /** Holds what was read of the client's current message, and passes it on. */
  #retain(): void {
    const { out } = this.#toGateway;
    for (const piece of out) {
      const frames = Buffer.from(piece); // a view would hold all that was read with it
      this.#retention!.keep(frames);
      if (this.#state === "open") this.#gateway.write(frames);
    }
    out.length = 0;
  }

  #retainMessage(): void {
    if (!this.isOpen) return;
    this.#retain();
    this.#retention!.messageEnded();
    this.#host.onRetained(this);
  }

  /** A gateway that is slow makes its client wait; one that is away cannot, as the client would be taken for dead. */
  #regulate(): void {
    if (this.#state === "open") {
      if (this.#retention!.isMuch || this.#gateway.writableNeedDrain) this.client.pause();
      else this.client.resume();
    } else if (this.#state === "detached" && this.#retention!.isTooMuch(this.#isGreeted)) {
      const reason = "gateway state lost: too much was sent while it was away, reconnect";
      this.end(CLOSE.serviceRestart, reason, { by: "edge", cause: "link-state-lost" });
    }
  }

  clientGone(): void {
    if (this.#state === "ended") return;
    // one side said goodbye and the other never answered
    const isAnswered = this.#clientClose !== undefined && this.#gatewayClose !== undefined;
    if (this.#state === "closing" && !isAnswered) this.#phase = "closing";
    this.#end ??= endWithoutClose(this.#clientError);
    this.#endGateway(CLOSE.goingAway, "client is gone");
    this.#finish();
  }

  clientFailed(error: Error): void {
    this.#clientError ??= systemErrorCode(error) ?? error.message;
  }

  gatewayGone(): void {
    if (this.#state === "closing") {
      if (this.#gatewayClose !== undefined) {
        this.#awaitClientClose();
      } else {
        this.#answerClientClose();
      }
    } else if (this.#state === "open" && this.#retention !== undefined) {
      this.#leaveGateway();
      this.lost();
    } else if (this.#state === "open") {
      this.#state = "orphaned";
      this.client.resume();
      this.#host.onGatewayLost(this);
    }
  }

  #onClientControl(opcode: number, payload: Buffer): boolean {
    if (opcode === OPCODE.pong) {
      if (!payload.equals(EDGE_PING_PAYLOAD)) return this.#retention === undefined;
      this.#noteRtt();
      return false;
    }
    if (opcode === OPCODE.ping && this.#retention !== undefined) {
      // with or without a gateway: what is passed on to it are messages
      if (this.isOpen) this.client.write(encodeFrame(OPCODE.pong, payload));
      return false;
    }
    if (opcode === OPCODE.close) {
      this.#clientClose = decodeClose(payload) as CloseMessage;
      this.#end ??= endByClient(this.#clientClose);
      this.#beginClosing();
    }
    return true;
  }

  #noteRtt(): void {
    if (this.#pingedAt === 0) return;
    this.#rttMs = this.#host.now() - this.#pingedAt;
    this.#pingedAt = 0;
    this.#host.onRtt(this.#rttMs);
  }

  #onGatewayControl(opcode: number, payload: Buffer): boolean {
    if (opcode === OPCODE.pong && this.#retention !== undefined) {
      const note = decodeNote(payload);
      if (note !== undefined) this.#onNote(note);
      return false;
    }
    if (opcode === OPCODE.close) {
      this.#gatewayClose = decodeClose(payload) as CloseMessage;
      this.#end ??= endByGateway(this.#gatewayClose);
      this.#beginClosing();
    }
    return true;
  }

  #onNote(note: LinkNote): void {
    const retention = this.#retention!;
    if (note.kind === "refuse") retention.refused(note.n, this.#toClient.messages);
    else if (retention.acknowledged(note.n)) this.#regulate();
    else this.end(CLOSE.serviceRestart, STATE_LOST, { by: "edge", cause: "link-state-lost" });
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
    if (this.#state === "detached") this.#answerClientClose();
    if (this.#state !== "open") return;
    if (this.#clientClose !== undefined && this.#retention !== undefined) this.#retain();
    this.#state = "closing";
    // its answer may stand behind what it had to wait with
    if (this.#retention !== undefined && !this.#gateway.writableNeedDrain) this.client.resume();
    this.#answerTimer = setTimeout(() => this.#closingTookTooLong(), CLOSING_MS);
  }

  /** A busy gateway did not answer its client's Close frame, or one side did not end after both were sent. */
  #closingTookTooLong(): void {
    this.#phase = "closing";
    if (this.#gatewayClose === undefined) this.#answerClientClose();
    else this.#finish();
  }

  /** The client asked to close and nobody else will answer: its own words do. */
  #answerClientClose(): void {
    const { code, reason } = this.#clientClose!;
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
    this.#retention?.drop();
    this.#answered();
    clearTimeout(this.#answerTimer);
    this.#endGateway(CLOSE.goingAway, "client is gone");
    endGently(this.client);
    const end = this.#end ?? endWithoutClose(this.#clientError);
    this.#host.onEnded(this, { ...end, phase: this.#phase });
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
