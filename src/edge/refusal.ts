import type http from "node:http";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { encodeClose } from "../protocol/frames.ts";
import { endToEndHeaders, type Headers } from "../protocol/headers.ts";
import { completeUpgrade, type HttpRefusal, responseHead } from "../protocol/upgrade.ts";
import { CLOSE_ANSWER_MS, endGently } from "./ending.ts";

/** Bytes of a gateway's refusal that are passed on. */
const MAX_REFUSAL_BYTES = 1024 * 1024;

/**
 * Completes a well-formed upgrade in order to close it: browsers show a refused one as 1006, a Close frame
 * carries the reason.
 */
export function closeUpgrade(
  socket: Socket,
  requestHeaders: Headers,
  close: { readonly code: number; readonly reason: string },
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.write(completeUpgrade(requestHeaders));
  socket.write(encodeClose(close.code, close.reason));
  // FIN after the client's own Close frame (any data is that, or is to be discarded), or after 2 s
  const timer = setTimeout(() => endGently(socket), CLOSE_ANSWER_MS);
  socket.once("data", () => {
    clearTimeout(timer);
    endGently(socket);
  });
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}

/** Answers something that is no well-formed upgrade with an HTTP error, and closes. */
export function refuseHttp(socket: Socket, refusal: HttpRefusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${refusal.message}\n`;
  const headers = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(Buffer.byteLength(body)),
  ];
  headers.push("Connection", "close", ...(refusal.headers ?? []));
  socket.write(responseHead(refusal.status, STATUS_CODES[refusal.status] ?? "Error", headers) + body);
  endGently(socket);
}

/** Passes on a gateway's answer to an upgrade that is not 101, and closes: nothing may follow it. */
export function forwardRefusal(socket: Socket, response: http.IncomingMessage): void {
  const headers = endToEndHeaders(response.rawHeaders);
  // the body's end is the connection's end, unless its length was given
  headers.push("Connection", "close");
  socket.write(responseHead(response.statusCode ?? 502, response.statusMessage ?? "", headers));
  let sent = 0;
  response.on("data", (chunk: Buffer) => {
    sent += chunk.length;
    if (sent <= MAX_REFUSAL_BYTES) socket.write(chunk);
    else response.destroy();
  });
  response.on("error", () => undefined);
  response.on("close", () => endGently(socket));
}
