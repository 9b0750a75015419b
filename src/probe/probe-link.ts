import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import { FrameRelay } from "../protocol/frame-relay.ts";
import { decodeClose, encodeClose, encodeFrame, encodeHeader, OPCODE } from "../protocol/frames.ts";

/** How it ended, as our side saw it. */
export type LinkEnd =
  | { readonly kind: "close"; readonly code: number | null; readonly reason: string }
  | { readonly kind: "fin" }
  | { readonly kind: "reset" }
  /** What came is no WebSocket frame. */
  | { readonly kind: "garbage"; readonly why: string };

/** An end in a few words. */
export function toldEnd(end: LinkEnd): string {
  if (end.kind === "fin") return "ended without a Close frame";
  if (end.kind === "reset") return "reset";
  if (end.kind === "garbage") return `ended by us, as what came is no WebSocket frame (${end.why})`;
  return `closed with ${end.code ?? "no code"}${end.reason === "" ? "" : ` ${JSON.stringify(end.reason)}`}`;
}

/** How every gateway of OpenClaw's protocol begins. */
const CHALLENGE = "connect.challenge";

/** It stands in the first of them. */
const FIRST_BYTES = 512;

/** A peer that pings without reading gets no more pongs than this many bytes. */
const MAX_UNREAD_BYTES = 64 * 1024;

interface LinkEvents {
  pong: [payload: string];
  ping: [];
  message: [];
  end: [LinkEnd];
}

/** A WebSocket connection of the probe's own: it sees pings, and tells a reset from an end from a Close frame. */
export class ProbeLink extends EventEmitter<LinkEvents> {
  readonly #socket: Socket;
  readonly #frames: FrameRelay;
  #end: LinkEnd | undefined;
  #first: Buffer = Buffer.alloc(0);
  /** When it was there, monotonic milliseconds. */
  readonly openedAt = performance.now();
  /** When anything went over it last. */
  lastTrafficAt = this.openedAt;
  /** The longest time so far between two signs of life. */
  longestSilenceMs = 0;
  /** How long it had been silent when it ended. */
  silentAtEndMs = 0;
  #lastGapMs = 0;

  constructor(socket: Socket, rest: Buffer) {
    super();
    this.#socket = socket;
    this.#frames = new FrameRelay({
      masked: false,
      allowedRsv: 0,
      onControl: (opcode, payload) => this.#onControl(opcode, payload),
    });
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#ended({ kind: error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "fin" });
    });
    socket.on("end", () => this.#ended({ kind: "fin" }));
    socket.on("close", () => this.#ended({ kind: "fin" }));
    if (rest.length > 0) this.#onData(rest);
    socket.resume();
  }

  /** Undefined while it lives. */
  get end(): LinkEnd | undefined {
    return this.#end;
  }

  /** Data messages that came so far. */
  get messages(): number {
    return this.#frames.messages;
  }

  /** Whether the gateway asks for a sign-in as OpenClaw's does. */
  get isChallenged(): boolean {
    return this.#first.includes(CHALLENGE);
  }

  ping(payload: string): void {
    this.#write(encodeFrame(OPCODE.ping, Buffer.from(payload), randomBytes(4)));
  }

  /** Several frames in one write, so that they fill whole packets. */
  pingMany(payloads: readonly string[]): void {
    this.#write(
      Buffer.concat(payloads.map((text) => encodeFrame(OPCODE.ping, Buffer.from(text), randomBytes(4)))),
    );
  }

  /**
   * A part of a message that is never finished: whoever reads whole messages never sees it, and boxes on the way,
   * and the server's own limits, see every byte.
   */
  sendUnfinished(length: number, isFirst: boolean): void {
    const mask = randomBytes(4);
    const header = encodeHeader({ firstByte: isFirst ? OPCODE.text : OPCODE.continuation, length, mask });
    const payload = Buffer.alloc(length, 0x61); // "a": valid UTF-8 wherever it is cut
    for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ mask[i & 3]!;
    this.#write(Buffer.concat([header, payload]));
  }

  /** Resolves with true when a pong with this payload comes, with false after `ms` or an end. */
  async pong(payload: string, ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.#end !== undefined) return false;
    return await new Promise((resolve) => {
      const done = (isThere: boolean) => {
        clearTimeout(timer);
        this.off("pong", linkOnPong);
        this.off("end", gaveUp);
        signal.removeEventListener("abort", gaveUp);
        resolve(isThere);
      };
      const linkOnPong = (text: string) => text === payload && done(true);
      const gaveUp = () => done(false);
      const timer = setTimeout(gaveUp, ms);
      this.on("pong", linkOnPong);
      this.on("end", gaveUp);
      signal.addEventListener("abort", gaveUp);
      if (signal.aborted) gaveUp();
    });
  }

  /** Waits for a first message or an end, at most `ms`. */
  async word(ms: number, signal: AbortSignal): Promise<void> {
    if (this.messages > 0 || this.#end !== undefined) return;
    const over = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    await Promise.race([once(this, "message", { signal: over }), once(this, "end", { signal: over })]).catch(
      () => undefined,
    );
  }

  /** Says goodbye (1000) and waits for the answer; how long it took, or undefined if none came in time. */
  async close(ms: number, signal: AbortSignal): Promise<number | undefined> {
    const startedAt = performance.now();
    if (this.#end === undefined) {
      this.#write(encodeClose(1000, "probe", randomBytes(4)));
      const over = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
      await once(this, "end", { signal: over }).catch(() => undefined);
    }
    this.destroy();
    return this.#end?.kind === "close" ? performance.now() - startedAt : undefined;
  }

  /** Says goodbye, if there is anybody to say it to, and waits for nothing: the other side's log has no 1006 of ours. */
  leave(): void {
    if (this.#end !== undefined || this.#socket.writableLength > 0) return this.destroy();
    this.#write(encodeClose(1000, "probe", randomBytes(4)));
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #write(bytes: Buffer): void {
    this.#traffic();
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  #traffic(): void {
    const now = performance.now();
    this.#lastGapMs = now - this.lastTrafficAt;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, this.#lastGapMs);
    this.lastTrafficAt = now;
  }

  #onData(chunk: Buffer): void {
    this.#traffic();
    const before = this.#frames.messages;
    const violation = this.#frames.push(chunk);
    if (this.#first.length < FIRST_BYTES) {
      this.#first = Buffer.concat([this.#first, ...this.#frames.out]).subarray(0, FIRST_BYTES);
    }
    this.#frames.out.length = 0;
    if (this.#frames.messages > before) this.emit("message");
    if (violation !== undefined) {
      this.#ended({ kind: "garbage", why: violation.message });
      this.destroy();
    }
  }

  #onControl(opcode: number, payload: Buffer): boolean {
    if (opcode === OPCODE.pong) this.emit("pong", payload.toString());
    if (opcode === OPCODE.ping) {
      this.emit("ping");
      if (this.#socket.writableLength < MAX_UNREAD_BYTES) {
        this.#write(encodeFrame(OPCODE.pong, payload, randomBytes(4)));
      }
    }
    if (opcode === OPCODE.close) {
      const told = decodeClose(payload);
      const reason = "reason" in told ? told.reason : told.message;
      const silentMs = this.#lastGapMs;
      const code = payload.subarray(0, payload.length < 2 ? 0 : 2);
      this.#write(encodeFrame(OPCODE.close, code, randomBytes(4))); // RFC 6455 §5.5.1
      this.#ended({ kind: "close", code: told.code ?? null, reason }, silentMs);
    }
    return false;
  }

  #ended(end: LinkEnd, silentMs = performance.now() - this.lastTrafficAt): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.silentAtEndMs = silentMs;
    this.emit("end", end);
  }
}
