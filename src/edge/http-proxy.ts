import http from "node:http";
import https from "node:https";
import { systemErrorCode } from "../core/errors.ts";
import { endToEndHeaders, type Headers } from "../protocol/headers.ts";
import { edgeKeyOf, sendRequest } from "./dial.ts";
import type { GatewayMonitor } from "./gateway-monitor.ts";
import { sendWaitingPage } from "./waiting-page.ts";

/** Seconds after which a client that got 503 may try again. */
const RETRY_AFTER_SEC = 2;

/** Idle connections to the gateway kept for the next request. */
const MAX_IDLE_CONNECTIONS = 16;

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

const METRICS_PATH = "/metrics";

/** Health endpoints that speak for the gateway. */
export type HealthPath = "/healthz" | "/startupz" | "/readyz";

export function isHealthPath(path: string): path is HealthPath {
  return path === "/healthz" || path === "/startupz" || path === "/readyz";
}

/** Passes plain HTTP on to the gateway, and answers for it while it is away. */
export class HttpProxy {
  readonly #monitor: GatewayMonitor;
  readonly #answerMetrics: (response: http.ServerResponse) => void;
  readonly #agents = {
    http: new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS }),
    https: new https.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS }),
  };

  /** `answerMetrics` answers `/metrics` where the gateway has none. */
  constructor(monitor: GatewayMonitor, answerMetrics: (response: http.ServerResponse) => void) {
    this.#monitor = monitor;
    this.#answerMetrics = answerMetrics;
  }

  /** `headers` are the client's, with its attribution settled. */
  handle(request: http.IncomingMessage, response: http.ServerResponse, headers: Headers): void {
    const path = request.url ?? "/";
    const bare = pathOf(request);
    const { state, run } = this.#monitor;
    if (run === undefined || state === "away" || state === "hung") {
      this.#answerAway(request, response);
      return;
    }
    const abort = new AbortController();
    const outgoingHeaders = [...headers];
    outgoingHeaders.push(...edgeKeyOf(run));
    // the framing of the body is ours to say: bytes without one would be read as the next request
    const isChunked = request.headers["transfer-encoding"] !== undefined;
    const hasBody = isChunked || request.headers["content-length"] !== undefined;
    if (isChunked) outgoingHeaders.push("Transfer-Encoding", "chunked");
    const method = request.method ?? "GET";
    const outgoing = sendRequest(
      run.address,
      { method, path, headers: outgoingHeaders },
      abort.signal,
      this.#agents,
    );
    outgoing.on("response", (incoming) => {
      if ((isHealthPath(bare) || bare === METRICS_PATH) && lacksEndpoint(incoming)) {
        incoming.resume();
        if (isHealthPath(bare)) this.#answerHealth(bare, response);
        else this.#answerMetrics(response);
        return;
      }
      passOn(incoming, response);
    });
    outgoing.on("error", (error) => {
      if (response.destroyed) return; // the client left: that is why
      if (response.headersSent) {
        response.destroy();
      } else if (outgoing.reusedSocket && SAFE_METHODS.has(method) && !hasBody) {
        // the kept connection was closed under us: a safe request may be sent again (RFC 9110 §9.2.2)
        this.handle(request, response, headers);
      } else if (this.#monitor.state === "ready" && this.#monitor.run === run && !isConnectError(error)) {
        request.resume();
        sendJson(response, 502, { ok: false, error: "gateway dropped this connection" });
      } else {
        this.#answerAway(request, response);
      }
    });
    // an upgrade that is no WebSocket (h2c) was sent on as plain HTTP: a switch is not expected
    outgoing.on("upgrade", (_incoming, socket) => {
      socket.destroy();
      if (!response.headersSent)
        sendJson(response, 502, { ok: false, error: "gateway switched protocols unasked" });
    });
    response.on("close", () => {
      if (!response.writableFinished) abort.abort();
    });
    if (hasBody) {
      outgoing.flushHeaders(); // the body may take its time
      request.pipe(outgoing);
    } else {
      outgoing.end();
    }
  }

  stop(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** For gateways without health endpoints: what the edge itself knows. */
  #answerHealth(path: HealthPath, response: http.ServerResponse): void {
    const isReady = this.#monitor.state === "ready";
    if (path === "/healthz") sendJson(response, 200, { ok: true, status: "live" });
    else sendJson(response, isReady ? 200 : 503, { ok: isReady, ready: isReady });
  }

  #answerAway(request: http.IncomingMessage, response: http.ServerResponse): void {
    request.resume();
    if (pathOf(request) === METRICS_PATH) return this.#answerMetrics(response);
    const reason = this.#monitor.explanation;
    response.setHeader("Retry-After", String(RETRY_AFTER_SEC));
    const isPage = /\btext\/html\b/.test(request.headers.accept ?? "") && request.method === "GET";
    if (isPage && !isHealthPath(pathOf(request))) {
      return sendWaitingPage(response, { reason, retryAfterSec: RETRY_AFTER_SEC });
    }
    sendJson(response, 503, { ok: false, ready: false, status: this.#monitor.state, reason });
  }
}

/** The path of a request without its query. */
export function pathOf(request: http.IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0]!;
}

export function sendJson(response: http.ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Nobody listens there: not the same as a listener that hung up. */
function isConnectError(error: Error): boolean {
  return ["ECONNREFUSED", "ENOENT", "EAGAIN"].includes(systemErrorCode(error) ?? "");
}

/** A 404, a 426 of a bare WebSocket server or a web page is neither a health report nor metrics. */
function lacksEndpoint(incoming: http.IncomingMessage): boolean {
  const status = incoming.statusCode ?? 0;
  if (status < 500 && status !== 200) return true;
  return /\btext\/html\b/.test(incoming.headers["content-type"] ?? "");
}

/** Answers with what came from behind. */
export function passOn(incoming: http.IncomingMessage, response: http.ServerResponse): void {
  const status = incoming.statusCode ?? 0;
  if (status < 200 || status > 599) {
    incoming.destroy();
    sendJson(response, 502, { ok: false, error: `the gateway answered with HTTP status ${status}` });
    return;
  }
  response.writeHead(status, endToEndHeaders(incoming.rawHeaders));
  response.flushHeaders(); // an event stream may have no first byte for long
  incoming.pipe(response);
  incoming.on("error", () => response.destroy());
  incoming.on("close", () => {
    // a body cut short must not look complete
    if (!incoming.complete) response.destroy();
  });
}
