import type { WebSocket } from "ws";

/**
 * Raises the largest message a connection may send. `ws` has the limit as a server option only, the protocol
 * wants 64 KiB before authentication and 25 MiB after: this file owns the private field behind the option.
 */
export function setMaxPayload(socket: WebSocket, bytes: number): void {
  const { _receiver: receiver } = socket as unknown as { _receiver?: { _maxPayload: number } };
  if (receiver !== undefined) receiver._maxPayload = bytes;
}
