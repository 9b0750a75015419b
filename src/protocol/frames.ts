import { isUtf8 } from "node:buffer";
import { CLOSE, fitCloseReason, isSendableCloseCode } from "../core/close-codes.ts";

/** Frame opcodes (RFC 6455 §5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes a control frame's payload may have (RFC 6455 §5.5). */
export const MAX_CONTROL_PAYLOAD = 125;

/** Bytes of the longest frame header: 2 + 8 of length + 4 of mask. */
export const MAX_HEADER = 14;

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

export interface FrameHeader {
  /** FIN, RSV bits and opcode as they stand in the first byte. */
  firstByte: number;
  /** Payload bytes. */
  length: number;
  /** The 4 bytes of the masking key, for a masked frame. */
  mask?: Buffer;
}

/** Encodes a frame header; `header.length` may be anything below 2^53. */
export function encodeHeader(header: FrameHeader): Buffer {
  const { firstByte, length, mask } = header;
  const lengthBytes = length < LENGTH_16 ? 0 : length < 65536 ? 2 : 8;
  const bytes = Buffer.allocUnsafe(2 + lengthBytes + (mask === undefined ? 0 : 4));
  bytes[0] = firstByte;
  const maskBit = mask === undefined ? 0 : MASKED;
  if (lengthBytes === 0) {
    bytes[1] = maskBit | length;
  } else if (lengthBytes === 2) {
    bytes[1] = maskBit | LENGTH_16;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = maskBit | LENGTH_64;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    bytes.writeUInt32BE(length % 2 ** 32, 6);
  }
  mask?.copy(bytes, 2 + lengthBytes);
  return bytes;
}

/** Bytes of the frame header that begins at `at`, or 0 if it is not all there. */
export function headerLength(bytes: Buffer, at: number): number {
  const available = bytes.length - at;
  if (available < 2) return 0;
  const second = bytes[at + 1]!;
  const length = second & 0x7f;
  const needed = 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + ((second & MASKED) === 0 ? 0 : 4);
  return available < needed ? 0 : needed;
}

/** Payload bytes of the frame whose complete header begins at `at`. */
export function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes[at + 1]! & 0x7f;
  if (length < 126) return length;
  if (length === 126) return bytes.readUInt16BE(at + 2);
  return bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
}

/** A whole, final frame. Frames towards a server are masked (RFC 6455 §5.3): give `mask` for those. */
export function encodeFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const firstByte = FIN | opcode;
  if (mask === undefined) {
    return Buffer.concat([encodeHeader({ firstByte, length: payload.length }), payload]);
  }
  const header = encodeHeader({ firstByte, length: payload.length, mask });
  return Buffer.concat([header, applyMask(payload, mask)]);
}

/** A Close frame; the reason is cut to what fits. */
export function encodeClose(code: number, reason: string, mask?: Buffer): Buffer {
  const text = Buffer.from(fitCloseReason(reason));
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return encodeFrame(OPCODE.close, payload, mask);
}

/** Masks or unmasks (the same operation, RFC 6455 §5.3) into a new buffer. */
export function applyMask(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < payload.length; i++) result[i] = payload[i]! ^ mask[i & 3]!;
  return result;
}

/** What a Close frame says. A frame without a code is `code: undefined` (1005 to its receiver's application). */
export interface CloseMessage {
  readonly code: number | undefined;
  readonly reason: string;
}

/** A breach of RFC 6455, with the close code its author deserves. */
export interface FrameViolation {
  readonly code: number;
  readonly message: string;
}

/** Reads an unmasked Close payload, or says what is wrong with it (RFC 6455 §5.5.1, §7.4). */
export function decodeClose(payload: Buffer): CloseMessage | FrameViolation {
  if (payload.length === 0) return { code: undefined, reason: "" };
  if (payload.length === 1) {
    return { code: CLOSE.protocolError, message: "close frame with a payload of 1 byte" };
  }
  const code = payload.readUInt16BE(0);
  if (!isSendableCloseCode(code)) {
    return { code: CLOSE.protocolError, message: `close code ${code} may not be sent` };
  }
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) return { code: CLOSE.invalidData, message: "close reason is not UTF-8" };
  return { code, reason: reason.toString() };
}
