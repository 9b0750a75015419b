import type { Socket } from "node:net";
import type { WebSocket } from "ws";

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
