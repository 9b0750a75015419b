import type http from "node:http";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { encodeClose } from "../protocol/frames.ts";
import { endToEndHeaders, type Headers } from "../protocol/headers.ts";
import { completeUpgrade, type HttpRefusal, responseHead } from "../protocol/upgrade.ts";
import { CLOSE_ANSWER_MS, endGently } from "./ending.ts";

/** Bytes of a gateway's refusal that are passed on, and how long it may take: it is an error page, no stream. */
const MAX_REFUSAL_BYTES = 1024 * 1024;
const REFUSAL_MS = 10_000;

/**
 * Completes a well-formed upgrade in order to close it: browsers show a refused one as 1006, a Close frame
 * carries the reason. Resolves when the client answered, is gone, or had its time.
 */
export function closeUpgrade(
  socket: Socket,
  requestHeaders: Headers,
  close: { readonly code: number; readonly reason: string },
): Promise<void> {
  if (!socket.writable) {
    socket.destroy();
    return Promise.resolve();
  }
  socket.write(completeUpgrade(requestHeaders));
  return closeSocket(socket, close);
}

/**
 * Closes a WebSocket that is no link. Resolves when the client answered, is gone, or had its time.
 */
export function closeSocket(
  socket: Socket,
  close: { readonly code: number; readonly reason: string },
): Promise<void> {
  if (!socket.writable) {
    socket.destroy();
    return Promise.resolve();
  }
  socket.write(encodeClose(close.code, close.reason));
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      endGently(socket);
      resolve();
    };
    const timer = setTimeout(finish, CLOSE_ANSWER_MS);
    // any data is the client's own Close frame, or is to be discarded: the FIN may follow
    socket.once("data", finish);
    socket.once("close", finish);
    socket.resume();
  });
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
  // as it came: header bytes are Latin-1 to Node
  socket.write(responseHead(response.statusCode ?? 502, response.statusMessage ?? "", headers), "latin1");
  let sent = 0;
  response.on("data", (chunk: Buffer) => {
    sent += chunk.length;
    if (sent <= MAX_REFUSAL_BYTES) socket.write(chunk);
    else response.destroy();
  });
  const timer = setTimeout(() => response.destroy(), REFUSAL_MS);
  const onGone = () => response.destroy();
  socket.once("close", onGone);
  socket.once("end", onGone);
  socket.resume(); // reading on is how the client's end is noticed
  response.on("error", () => undefined);
  response.on("close", () => {
    clearTimeout(timer);
    endGently(socket);
  });
}
