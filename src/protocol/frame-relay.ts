import { CLOSE } from "../core/close-codes.ts";
import {
  applyMask,
  decodeClose,
  encodeHeader,
  type FrameViolation,
  headerLength,
  MAX_CONTROL_PAYLOAD,
  OPCODE,
  payloadLength,
} from "./frames.ts";

/**
 * The most a relay holds back. A longer data frame is passed on as fragments of this size (RFC 6455 §5.4), so a
 * link can be ended with a Close frame in the middle of it. A multiple of 4: masked bytes cut there keep their
 * masking key.
 */
export const FRAGMENT_BYTES = 64 * 1024;

/** A peer that sends a frame in crumbs makes us copy it together after this many, instead of keeping each. */
const MAX_HELD_PIECES = 64;

const FIN = 0x80;
const RSV = 0x70;
const OPCODE_BITS = 0x0f;
const CONTROL_BIT = 0x08;
const MASKED = 0x80;

/** The bit of a frame's first byte that permessage-deflate uses (RFC 7692 §6). */
export const RSV1 = 0x40;

export interface FrameRelayOptions {
  /** Whether the frames come from a client, which must mask them (RFC 6455 §5.1). */
  readonly masked: boolean;
  /** Which of RSV1–3 the negotiated extensions gave a meaning, as bits of a frame's first byte. */
  readonly allowedRsv: number;
  /** Says whether this control frame is passed on. The payload is unmasked. */
  readonly onControl: (opcode: number, payload: Buffer) => boolean;
  /** A data message is complete, and all of it is in `out`, with nothing behind it. */
  readonly onMessageEnd?: () => void;
}

/**
 * Follows the frames of one direction of a link and hands on their bytes, without unmasking or copying them.
 *
 * What it puts into `out` always ends at a frame boundary, so between two calls of `push` any control frame may
 * be written behind it; a data message may too unless `midMessage`. A frame of up to 64 KiB is held until it is
 * complete and passed on as it came (`whole`), a longer one is cut into fragments (`large`), a control frame is
 * shown to `onControl` first (`control`).
 */
export class FrameRelay {
  /** Bytes ready to be passed on. The caller takes them all after each `push` and empties the array. */
  readonly out: Buffer[] = [];
  /** Frames begun so far, control frames among them. */
  frames = 0;
  /** Data messages that are complete. */
  messages = 0;

  readonly #masked: boolean;
  readonly #allowedRsv: number;
  readonly #onControl: FrameRelayOptions["onControl"];
  readonly #onMessageEnd: FrameRelayOptions["onMessageEnd"];

  #state: "boundary" | "whole" | "large" | "control" | "ended" = "boundary";
  /** The bytes of a header that the last chunk cut in two. */
  #cutHeader: Buffer | undefined;
  /** What was read of the frame (or fragment payload) and may not be passed on yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** True from the end of a data frame without FIN to the end of its last continuation. */
  #messageOpen = false;

  // the frame being read
  #firstByte = 0;
  #remaining = 0;
  #mask: Buffer | undefined;
  #fragmentsSent = 0;
  /** Payload bytes of the message that comes again, which were passed on before. */
  #passedBefore = 0;

  constructor(options: FrameRelayOptions) {
    this.#masked = options.masked;
    this.#allowedRsv = options.allowedRsv;
    this.#onControl = options.onControl;
    this.#onMessageEnd = options.onMessageEnd;
  }

  /** Whether `out` so far ends inside a fragmented message: data of our own would have to wait. */
  get midMessage(): boolean {
    return this.#messageOpen || this.#fragmentsSent > 0;
  }

  /** Bytes held back: at most 64 KiB and a header. */
  get heldBytes(): number {
    return this.#heldBytes + (this.#cutHeader?.length ?? 0);
  }

  /** Whether views of what was pushed are held, so that its memory must not be used again. */
  get holdsInput(): boolean {
    return this.#heldBytes > 0;
  }

  /**
   * The stream begins anew, from another sender, with the message that it broke off in. What was passed on of that is
   * not passed on again. For senders that put each message into one frame: only such a one is passed on in part.
   */
  restart(): void {
    this.#passedBefore = this.#fragmentsSent * FRAGMENT_BYTES;
    this.#state = "boundary";
    this.#cutHeader = undefined;
    this.#held = [];
    this.#heldBytes = 0;
    this.#remaining = 0;
  }

  /** Takes the next bytes of the stream. A violation ends the relay; what came before it is still in `out`. */
  push(chunk: Buffer): FrameViolation | undefined {
    if (this.#state === "ended") return undefined;
    let bytes = chunk;
    if (this.#cutHeader !== undefined) {
      // The one place that copies. About one read in thirty cuts a header at 256-byte messages.
      bytes = Buffer.concat([this.#cutHeader, chunk]);
      this.#cutHeader = undefined;
    }
    const end = bytes.length;
    let cursor = 0;
    /** bytes[from, cursor) has been read and is neither passed on nor held yet. */
    let from = 0;
    let frameStart = 0;

    while (true) {
      if (this.#state === "boundary") {
        if (cursor === end) break;
        const headerBytes = headerLength(bytes, cursor);
        if (headerBytes === 0) {
          this.#pass(bytes, from, cursor);
          this.#cutHeader = Buffer.from(bytes.subarray(cursor));
          return undefined;
        }
        const violation = this.#beginFrame(bytes, cursor, headerBytes);
        if (violation !== undefined) {
          this.#pass(bytes, from, cursor);
          return this.#end(violation);
        }
        frameStart = cursor;
        cursor += headerBytes;
        if (this.#isState("control")) {
          this.#pass(bytes, from, frameStart);
          from = frameStart;
        } else if (this.#isState("large")) {
          this.#pass(bytes, from, frameStart);
          from = cursor;
        }
      }

      const taken = Math.min(this.#remaining, end - cursor);
      cursor += taken;
      this.#remaining -= taken;

      if (this.#isState("large")) {
        this.#fragment(bytes, from, cursor);
        from = cursor;
        if (this.#remaining > 0) return undefined;
      } else if (this.#remaining > 0) {
        this.#pass(bytes, from, frameStart);
        this.#hold(bytes.subarray(frameStart, end));
        return undefined;
      } else if (this.#isState("control")) {
        const frame = this.#takeHeldWith(bytes.subarray(from, cursor));
        from = cursor;
        const violation = this.#control(frame);
        if (violation !== undefined) return this.#end(violation);
        if (this.#isState("ended")) return undefined;
        this.#state = "boundary";
        continue;
      } else {
        this.#releaseHeld();
      }
      this.#messageOpen = (this.#firstByte & FIN) === 0;
      this.#fragmentsSent = 0;
      this.#state = "boundary";
      if (this.#messageOpen) continue;
      this.messages++;
      if (this.#onMessageEnd === undefined) continue;
      this.#pass(bytes, from, cursor);
      from = cursor;
      this.#onMessageEnd();
    }
    this.#pass(bytes, from, end);
    return undefined;
  }

  /** Reads a complete header and chooses how its frame is passed on. */
  #beginFrame(bytes: Buffer, at: number, headerBytes: number): FrameViolation | undefined {
    const firstByte = bytes[at]!;
    const secondByte = bytes[at + 1]!;
    const opcode = firstByte & OPCODE_BITS;
    const isControl = (opcode & CONTROL_BIT) !== 0;
    const length = payloadLength(bytes, at);
    const masked = (secondByte & MASKED) !== 0;

    if (masked !== this.#masked) {
      return protocolError(masked ? "masked frame from a server" : "unmasked frame from a client");
    }
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
      return protocolError(`reserved opcode ${opcode}`);
    }
    const rsv = firstByte & RSV;
    // RSV1 marks a compressed message on its first frame only (RFC 7692 §6.1)
    const firstOfMessage = !isControl && opcode !== OPCODE.continuation;
    if ((rsv & ~(firstOfMessage ? this.#allowedRsv : this.#allowedRsv & ~RSV1)) !== 0 || (isControl && rsv)) {
      return protocolError("reserved bit set without an extension that defines it");
    }
    if (isControl) {
      if ((firstByte & FIN) === 0) return protocolError("fragmented control frame");
      if (length > MAX_CONTROL_PAYLOAD) return protocolError(`control frame of ${length} bytes`);
    } else if (firstOfMessage === this.#messageOpen) {
      return protocolError(
        firstOfMessage ? "new message inside a fragmented one" : "continuation without a message",
      );
    }
    if (!Number.isSafeInteger(length)) {
      return { code: CLOSE.tooBig, message: "frame length over 2^53 bytes" };
    }
    if (!isControl && this.#passedBefore > 0 && length <= this.#passedBefore) {
      return protocolError("another message than before in the place of one that was passed on in part");
    }

    this.frames++;
    this.#firstByte = firstByte;
    this.#remaining = length;
    this.#state = isControl ? "control" : length > FRAGMENT_BYTES ? "large" : "whole";
    // only fragments and control frames need the key; a view would keep the whole chunk alive
    const needsMask = masked && this.#state !== "whole";
    this.#mask = needsMask ? Buffer.from(bytes.subarray(at + headerBytes - 4, at + headerBytes)) : undefined;
    return undefined;
  }

  /** Holds payload of a large frame and passes it on in fragments of 64 KiB, the last one as long as is left. */
  #fragment(bytes: Buffer, from: number, to: number): void {
    const again = Math.min(this.#passedBefore, to - from);
    this.#passedBefore -= again;
    let at = from + again;
    while (at < to) {
      const next = Math.min(to, at + FRAGMENT_BYTES - this.#heldBytes);
      this.#hold(bytes.subarray(at, next));
      at = next;
      const isLast = at === to && this.#remaining === 0;
      if (this.#heldBytes < FRAGMENT_BYTES && !isLast) continue;
      const start = this.#fragmentsSent === 0 ? this.#firstByte & ~FIN : OPCODE.continuation;
      const fin = isLast ? this.#firstByte & FIN : 0;
      const header = { firstByte: start | fin, length: this.#heldBytes };
      this.out.push(encodeHeader(this.#mask === undefined ? header : { ...header, mask: this.#mask }));
      this.#releaseHeld();
      this.#fragmentsSent++;
    }
  }

  #control(frame: Buffer): FrameViolation | undefined {
    const opcode = this.#firstByte & OPCODE_BITS;
    const payload = frame.subarray(headerLength(frame, 0));
    const plain = this.#mask === undefined ? payload : applyMask(payload, this.#mask);
    if (opcode === OPCODE.close) {
      const close = decodeClose(plain);
      if ("message" in close) return close;
      this.#state = "ended";
    }
    if (this.#onControl(opcode, plain)) this.out.push(frame);
    return undefined;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (from < to) this.out.push(to - from === bytes.length ? bytes : bytes.subarray(from, to));
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#held.length > MAX_HELD_PIECES) this.#held = [Buffer.concat(this.#held)];
  }

  #releaseHeld(): void {
    if (this.#heldBytes === 0) return;
    this.out.push(...this.#held);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #takeHeldWith(last: Buffer): Buffer {
    if (this.#heldBytes === 0) return last;
    const whole = Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }

  #end(violation: FrameViolation): FrameViolation {
    this.#state = "ended";
    this.#held = [];
    this.#heldBytes = 0;
    return violation;
  }

  /** A comparison that the compiler does not narrow: methods called in between change the state. */
  #isState(state: "whole" | "large" | "control" | "ended"): boolean {
    return this.#state === state;
  }
}

function protocolError(message: string): FrameViolation {
  return { code: CLOSE.protocolError, message };
}
