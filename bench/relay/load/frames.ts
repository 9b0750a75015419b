import { randomBytes } from "node:crypto";

/** First byte of an unfragmented binary frame without extensions (RFC 6455, 5.2). */
export const BINARY_FRAME = 0x82;
const MASKED = 0x80;

/** A client's binary frame with random payload, masked with a random key. */
export function maskedFrame(payloadBytes: number): Buffer {
  // random bytes under a random mask are random bytes: there is nothing to compute
  return Buffer.concat([header(payloadBytes, MASKED), randomBytes(4), randomBytes(payloadBytes)]);
}

/** Bytes of the server's frame that echoes such a payload. */
export function echoBytes(payloadBytes: number): number {
  return header(payloadBytes, 0).length + payloadBytes;
}

function header(length: number, mask: number): Buffer {
  if (length < 126) return Buffer.from([BINARY_FRAME, mask | length]);
  if (length < 65_536) return Buffer.from([BINARY_FRAME, mask | 126, length >> 8, length & 0xff]);
  const bytes = Buffer.alloc(10);
  bytes[0] = BINARY_FRAME;
  bytes[1] = mask | 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}
