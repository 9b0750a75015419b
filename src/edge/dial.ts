import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { GatewayRun, UpstreamAddress } from "../core/messages.ts";
import { type Headers, headerValue, withoutHeaders } from "../protocol/headers.ts";
import { acceptFor } from "../protocol/upgrade.ts";

/** How a gateway answered an upgrade. */
export type DialResult =
  | { readonly kind: "open"; readonly socket: Socket; readonly head: Buffer; readonly headers: Headers }
  /** It answered 101, but without the headers or the key of RFC 6455 §4.1: it does not speak WebSocket. */
  | { readonly kind: "broken" }
  | { readonly kind: "refused"; readonly response: http.IncomingMessage }
  /** No answer: it is away, died in between, or the wait was aborted. */
  | { readonly kind: "failed"; readonly error: Error };

/** How the built-in gateway knows its edge; nothing for any other gateway. */
export function edgeKeyOf({ edgeKey }: GatewayRun): string[] {
  return edgeKey === undefined ? [] : ["X-Clawkit-Edge", edgeKey];
}

/** Options that make Node's HTTP client reach the gateway. */
function requestOptions(address: UpstreamAddress): https.RequestOptions & { isTls: boolean; prefix: string } {
  if (address.kind === "socket") return { socketPath: address.path, isTls: false, prefix: "" };
  const url = new URL(address.url);
  const isTls = url.protocol === "wss:" || url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const prefix = url.pathname.replace(/\/$/, "");
  return { host, port, isTls, prefix, ...(isTls ? { servername: host } : {}) };
}

/** Sends a plain request, the body of which the caller writes. */
export function sendRequest(
  address: UpstreamAddress,
  request: { method: string; path: string; headers: Headers },
  signal: AbortSignal,
  agents?: { readonly http: http.Agent; readonly https: https.Agent },
): http.ClientRequest {
  const { isTls, prefix, ...options } = requestOptions(address);
  const agent = agents === undefined ? false : isTls ? agents.https : agents.http;
  const client = isTls ? https : http;
  return client.request({
    ...options,
    method: request.method,
    path: prefix + request.path,
    headers: withHost(request.headers, address) as unknown as http.OutgoingHttpHeaders,
    setHost: false,
    agent,
    signal,
  });
}

/** Asks the gateway for a WebSocket on behalf of a client. Never rejects. */
export function dial(
  address: UpstreamAddress,
  request: { path: string; headers: Headers },
  signal: AbortSignal,
): Promise<DialResult> {
  return new Promise((resolve) => {
    const headers = ["Connection", "Upgrade", "Upgrade", "websocket", ...request.headers];
    const outgoing = sendRequest(address, { method: "GET", path: request.path, headers }, signal);
    outgoing.on("upgrade", (response, socket, head) => {
      const accept = headerValue(response.rawHeaders, "sec-websocket-accept");
      if (accept !== acceptFor(headerValue(headers, "sec-websocket-key") ?? "")) {
        socket.destroy();
        resolve({ kind: "broken" });
        return;
      }
      resolve({ kind: "open", socket: socket as Socket, head, headers: response.rawHeaders });
    });
    outgoing.on("response", (response) => {
      // a 101 that does not say what it switches to is an answer to Node, and none that could be passed on
      if (response.statusCode !== 101) resolve({ kind: "refused", response });
      else {
        response.destroy();
        resolve({ kind: "broken" });
      }
    });
    outgoing.on("error", (error) => resolve({ kind: "failed", error }));
    outgoing.end();
  });
}

/**
 * HTTP/1.1 demands a Host. A gateway on this machine gets the client's, as it may look at it; one elsewhere gets
 * its own name, which may decide who answers there.
 */
function withHost(headers: Headers, address: UpstreamAddress): Headers {
  if (address.kind === "url") {
    const url = new URL(address.url);
    if (!isLoopbackHost(url.hostname)) {
      return ["Host", url.host, ...withoutHeaders(headers, (name) => name === "host")];
    }
  }
  return headerValue(headers, "host") === undefined ? ["Host", "localhost", ...headers] : headers;
}

function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
