import type { WebSocket } from "ws";
import { CLOSE, fitCloseReason } from "../core/close-codes.ts";
import { decodeNote, encodeNote } from "../protocol/link-protocol.ts";
import type { Commits } from "./commits.ts";
import type { EncodedEvent } from "./frames.ts";
import type { Caller } from "./handshake.ts";
import type { Journal, LinkRow, Positions } from "./journal/journal.ts";
import { sendText, sendTogether } from "./ws-internals.ts";

/** What hello-ok promises: bytes of one frame after authentication, and unsent bytes before a slow consumer is cut. */
export const MAX_PAYLOAD = 25 * 1024 * 1024;
export const MAX_BUFFERED = 50 * 1024 * 1024;

/** What `ws` says of a connection that ended without one (RFC 6455 §7.1.5). */
const NO_CLOSE_FRAME = 1006;

/** What of a link is no position: JSON in the journal. */
export interface LinkState {
  readonly caller: Caller;
  readonly nonce: string;
  /** Of the client that said hello; its meaning is the session's. */
  session?: object;
  /** How often its first message was read by a gateway behind one that ended meanwhile. */
  tries?: number;
  /** It is to be closed, once everything before is sent. */
  closing?: { readonly code: number; readonly reason: string };
}

export interface LinkHost {
  readonly journal: Journal;
  readonly commits: Commits;
  /** The client said or did something to end it, or we did. */
  readonly onEnded: (link: GatewayLink, code: number) => void;
}

/** The head of an event of this size is not copied for each receiver. */
const LARGE_CHARS = 4_096;

interface NumberedEvent {
  readonly event: EncodedEvent;
  readonly seq: number;
}

/**
 * One client's link to this gateway: what it sent and was sent, by number. It outlives its socket, and the process; only its
 * messages' commits let anything out.
 */
export class GatewayLink {
  readonly id: string;
  readonly key: number;
  readonly state: LinkState;
  /** Messages of the client that came over the socket, stored or not. */
  arrived: number;
  /** Nobody will attach it again: what was under way for it is dropped. */
  isForgotten = false;
  /** What still comes over its socket is not taken: something before it could not be. */
  isBroken = false;
  /** Its client is gone, and may come back over another link. */
  isParked = false;
  /** What the edge said when it attached it last. */
  offer = { tried: 0, stale: 0 };
  readonly #host: LinkHost;
  #positions: Positions;
  #received: number;
  #socket: WebSocket | undefined;
  /** Emitted in this commit. */
  #ready: (string | NumberedEvent)[] = [];
  /** Sizes of what the edge has not received, from `#received + 1` on. */
  readonly #unreceived: number[] = [];
  #unreceivedBytes = 0;
  #acked: number;

  constructor(row: LinkRow, host: LinkHost) {
    this.id = row.id;
    this.key = row.key;
    this.state = JSON.parse(row.state) as LinkState;
    this.#host = host;
    this.#positions = { stored: row.stored, emitted: row.emitted, seq: row.seq };
    this.#received = row.received;
    this.#acked = row.stored;
    this.arrived = row.stored;
    for (const { text } of host.journal.outbox(row.key, row.received)) this.#note(text.length);
  }

  get stored(): number {
    return this.#positions.stored;
  }

  get isAttached(): boolean {
    return this.#socket !== undefined;
  }

  /** Whether this is its socket: what another one brings will come again. */
  isCarriedBy(socket: WebSocket): boolean {
    return this.#socket === socket;
  }

  /** Whether an edge that has `received` of our messages may attach it. */
  canAttach(received: number): boolean {
    return received >= this.#received && received <= this.#positions.emitted;
  }

  /** Goes on over this socket: what the edge has not received is sent again. */
  attach(
    socket: WebSocket,
    offer: { readonly received: number; readonly tried: number; readonly stale: number },
  ): void {
    this.#socket?.terminate();
    this.#socket = socket;
    this.offer = offer;
    this.arrived = this.stored;
    this.#acked = this.stored;
    this.#release(offer.received);
    socket.on("pong", (payload) => this.#onNote(payload));
    let hasFailed = false;
    socket.on("error", () => {
      hasFailed = true;
    });
    socket.on("close", (code) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      // without a Close frame the edge is gone, or will be back; behind what `ws` closes for it hears none, and who is
      // closed and does not read it is not sent everything again
      const isOver = code !== NO_CLOSE_FRAME || hasFailed || this.state.closing !== undefined;
      if (isOver) this.#host.onEnded(this, code);
    });
    for (const { text } of this.#host.journal.outbox(this.key, offer.received)) socket.send(text);
    this.#closeIfAsked();
  }

  /** Within a commit: the client's message `n` is stored, or done. */
  store(n: number): void {
    this.#touch();
    this.#positions = { ...this.#positions, stored: n };
  }

  /** Within a commit: sends a message, once that is written. `kept` is what stands for it in the journal. */
  emit(text: string, kept = text): void {
    if (this.#hasEnded) return;
    this.#touch();
    const n = this.#count();
    this.#host.journal.emit(this.key, n, kept);
    this.#ready.push(text);
    this.#note(text.length);
  }

  /**
   * Within a commit: sends an event that many get; `broadcast` is its head in the journal. Returns what the client gets, now or
   * when it is back.
   */
  emitEvent(event: EncodedEvent, broadcast: number | null): string | undefined {
    if (this.#hasEnded && !this.isParked) return undefined;
    this.#touch();
    const seq = this.#positions.seq + 1;
    this.#positions = { ...this.#positions, seq };
    const text = event.withSeq(seq);
    if (this.isParked) return text;
    const n = this.#count();
    this.#host.journal.emit(this.key, n, broadcast === null ? text : event.tail(seq), broadcast);
    this.#ready.push(event.head.length < LARGE_CHARS ? text : { event, seq });
    this.#note(text.length);
    return text;
  }

  /** Within a commit: closes it behind everything that was sent. */
  close(code: number, reason: string): void {
    if (this.state.closing !== undefined) return;
    this.changeState({ closing: { code, reason } });
  }

  /** Within a commit. */
  changeState(change: Partial<Pick<LinkState, "session" | "tries" | "closing">>): void {
    const { session, tries, closing } = this.state;
    this.#host.commits.undo(() => Object.assign(this.state, { session, tries, closing }));
    Object.assign(this.state, change);
    this.#touch();
    this.#host.commits.last(this.#writeState);
  }

  /** Answers message `n`, which could not be stored: the edge voids it with that. */
  refuse(n: number, text: string): void {
    if (this.#socket === undefined) return;
    this.#socket.pong(encodeNote({ kind: "refuse", n }));
    this.#socket.send(text);
  }

  /** Closes it without a reason, and without a word in the journal. */
  hangUp(): void {
    this.#socket?.close(CLOSE.normal);
  }

  /** Closes it, and takes nothing more: the client has to come over another link. */
  breakOff(code: number, reason: string): void {
    this.isBroken = true;
    this.#socket?.close(code, fitCloseReason(reason));
  }

  /** Nothing is sent over it any more. */
  park(): void {
    this.isParked = true;
    this.#release(this.#positions.emitted);
  }

  /** Within a commit: its events are numbered on as those of `other`, which takes nothing any more. */
  takeOver(other: GatewayLink): void {
    this.#touch();
    this.#positions = { ...this.#positions, seq: other.#positions.seq };
    const { isBroken } = other;
    this.#host.commits.undo(() => {
      other.isBroken = isBroken;
    });
    other.isBroken = true;
  }

  /** Lets go of the socket without a word: the link goes on with the next gateway. */
  detach(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  /** Behind its Close frame nothing is sent. */
  get #hasEnded(): boolean {
    return this.isForgotten || this.isParked || this.state.closing !== undefined;
  }

  #count(): number {
    const emitted = this.#positions.emitted + 1;
    this.#positions = { ...this.#positions, emitted };
    return emitted;
  }

  #note(bytes: number): void {
    this.#unreceived.push(bytes);
    this.#unreceivedBytes += bytes;
    if (this.#unreceivedBytes > MAX_BUFFERED && this.state.closing === undefined && this.#isTouched)
      this.close(CLOSE.policyViolation, "slow consumer");
  }

  #isTouched = false;

  /** Positions are written once a commit, and go back with it; what was emitted leaves behind it. */
  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    const { commits } = this.#host;
    const before = this.#positions;
    const unreceived = this.#unreceived.length;
    commits.undo(() => {
      this.#isTouched = false;
      this.#positions = before;
      this.#ready = [];
      for (const bytes of this.#unreceived.splice(unreceived)) this.#unreceivedBytes -= bytes;
    });
    commits.last(this.#writePositions);
    commits.after(() => this.#flush());
  }

  readonly #writePositions = () => this.#host.journal.setPositions(this.key, this.#positions);
  readonly #writeState = () => this.#host.journal.setState(this.key, JSON.stringify(this.state));

  #flush(): void {
    this.#isTouched = false;
    const ready = this.#ready;
    this.#ready = [];
    const socket = this.#socket;
    if (socket === undefined) return;
    sendTogether(socket, () => {
      if (this.stored > this.#acked) {
        this.#acked = this.stored;
        socket.pong(encodeNote({ kind: "ack", n: this.stored }));
      }
      for (const message of ready) {
        if (typeof message === "string") socket.send(message);
        else sendText(socket, message.event.headBytes, Buffer.from(message.event.tail(message.seq)));
      }
      this.#closeIfAsked();
    });
  }

  #closeIfAsked(): void {
    const { closing } = this.state;
    if (closing !== undefined) this.#socket?.close(closing.code, fitCloseReason(closing.reason));
  }

  /** The edge has our messages up to `n`. */
  #onNote(payload: Buffer): void {
    const note = decodeNote(payload);
    if (note?.kind === "ack" && this.canAttach(note.n)) this.#release(note.n);
  }

  #release(n: number): void {
    for (const bytes of this.#unreceived.splice(0, n - this.#received)) this.#unreceivedBytes -= bytes;
    if (n > this.#received) this.#host.commits.addLazy(this.#writeReleased);
    this.#received = n;
  }

  readonly #writeReleased = () => this.#host.journal.release(this.key, this.#received);
}
