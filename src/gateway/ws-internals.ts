import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { encodeHeader } from "../protocol/frames.ts";

// What `ws` has behind private fields.

/**
 * Raises the largest message a connection may send. `ws` has the limit as a server option only, the protocol
 * wants 64 KiB before authentication and 25 MiB after.
 */
export function setMaxPayload(socket: WebSocket, bytes: number): void {
  const { _receiver: receiver } = socket as unknown as { _receiver?: { _maxPayload: number } };
  if (receiver !== undefined) receiver._maxPayload = bytes;
}

/** What `send` sends leaves in one write: a write is what an answer costs most. */
export function sendTogether(socket: WebSocket, send: () => void): void {
  const { _socket: wire } = socket as unknown as { _socket?: Socket };
  wire?.cork();
  send();
  wire?.uncork();
}

const FINAL_TEXT = 0x81;

/**
 * Sends one text message, in one frame, of parts that `ws` would copy together. A message of several frames would not do: one that is
 * cut between them is not resumed (protocol/frame-relay.ts).
 */
export function sendText(socket: WebSocket, ...parts: readonly Buffer[]): void {
  const { _socket: wire } = socket as unknown as { _socket?: Socket };
  if (wire === undefined || socket.readyState !== socket.OPEN) return;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  wire.write(encodeHeader({ firstByte: FINAL_TEXT, length }));
  for (const part of parts) wire.write(part);
}
