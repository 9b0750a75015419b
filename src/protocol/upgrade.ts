import { createHash } from "node:crypto";
import { type Headers, headerValue, headerValues, listTokens } from "./headers.ts";

/** The constant of RFC 6455 §1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** 16 bytes in base64 (RFC 6455 §4.2.1). */
const KEY_PATTERN = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

export interface HttpRefusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: readonly string[];
}

export interface UpgradeRequest {
  readonly method: string;
  readonly httpVersion: string;
  readonly headers: Headers;
}

/** True if the request asks for a WebSocket; `Upgrade: h2c` and the like are plain HTTP to us (RFC 7230 §6.7). */
export function asksForWebSocket(headers: Headers): boolean {
  return (
    listTokens(headers, "upgrade").includes("websocket") &&
    listTokens(headers, "connection").includes("upgrade")
  );
}

/** What RFC 6455 §4.2.1 demands of a client's opening handshake; undefined if all is well. */
export function checkUpgrade(request: UpgradeRequest): HttpRefusal | undefined {
  const { headers } = request;
  if (request.method !== "GET") {
    return { status: 405, message: "a WebSocket upgrade must be a GET request", headers: ["Allow", "GET"] };
  }
  if (request.httpVersion !== "1.1") {
    return { status: 400, message: "a WebSocket upgrade needs HTTP/1.1" };
  }
  const length = headerValue(headers, "content-length");
  if ((length !== undefined && length !== "0") || headerValue(headers, "transfer-encoding") !== undefined) {
    return { status: 400, message: "a WebSocket upgrade must not have a body" };
  }
  if (headerValue(headers, "sec-websocket-version") !== "13") {
    return {
      status: 426,
      message: "only WebSocket version 13 is spoken here",
      headers: ["Sec-WebSocket-Version", "13", "Upgrade", "websocket"],
    };
  }
  const keys = headerValues(headers, "sec-websocket-key");
  if (keys.length !== 1 || !KEY_PATTERN.test(keys[0]!)) {
    return { status: 400, message: "Sec-WebSocket-Key must be 16 bytes in base64" };
  }
  return undefined;
}

/** The `Sec-WebSocket-Accept` that answers `key`. */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64");
}

/** The head of the 101 with which we complete a client's upgrade ourselves, in order to close it properly. */
export function completeUpgrade(headers: Headers): string {
  const lines = ["Upgrade", "websocket", "Connection", "Upgrade"];
  lines.push("Sec-WebSocket-Accept", acceptFor(headerValue(headers, "sec-websocket-key") ?? ""));
  // Without the echo, browsers and ws fail the connection: 1006 instead of our reason.
  const protocol = headerValues(headers, "sec-websocket-protocol").join(",").split(",")[0]?.trim();
  if (protocol) lines.push("Sec-WebSocket-Protocol", protocol);
  return responseHead(101, "Switching Protocols", lines);
}

/** Which RSV bits the extensions agreed on in a 101 give a meaning, as bits of a frame's first byte. */
export function allowedRsvOf(responseHeaders: Headers): number {
  const extensions = listTokens(responseHeaders, "sec-websocket-extensions").map((e) =>
    e.split(";")[0]!.trim(),
  );
  if (extensions.length === 0) return 0;
  const onlyDeflate = extensions.every((extension) => extension === "permessage-deflate");
  return onlyDeflate ? 0x40 : 0x70;
}

/** Serialises the head of an HTTP/1.1 response; `headers` alternates names and values. */
export function responseHead(status: number, message: string, headers: Headers): string {
  let head = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
