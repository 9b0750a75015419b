import http from "node:http";
import { endToEndHeaders, withoutHeaders } from "../protocol/headers.ts";
import { passOn, sendJson } from "./http-proxy.ts";

/** A control process that is started for a request loads its code, which takes seconds on a busy machine. */
const START_MS = 10_000;

/** Consoles that wait for it meanwhile; a page asks for a dozen files. */
const MAX_WAITING = 64;

/** Whom the request is from; only we say it, and only on that socket. */
const PEER = "X-Clawkit-Peer";

export interface ControlProxyDeps {
  readonly onControlWanted: () => void;
}

type Waiter = (path: string | undefined) => void;

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly peer: string;
  readonly isSecondTry?: boolean;
}

/**
 * Passes requests for the console on to the control process, which is started when the first one comes. Nothing is
 * parsed or answered here: what the console costs must not be the relay's.
 */
export class ControlProxy {
  readonly #deps: ControlProxyDeps;
  readonly #agent = new http.Agent({ keepAlive: true });
  #path: string | undefined;
  #waiting: Waiter[] = [];
  #startTimer: NodeJS.Timeout | undefined;
  #why = "the control process did not start in time";

  constructor(deps: ControlProxyDeps) {
    this.#deps = deps;
  }

  listening(path: string): void {
    this.#path = path;
    this.#release(path);
  }

  ended(why: string): void {
    this.#path = undefined;
    this.#why = why;
    this.#release(undefined);
  }

  handle(request: http.IncomingMessage, response: http.ServerResponse, peer: string): void {
    this.#handle({ request, response, peer });
  }

  #handle(exchange: Exchange): void {
    const { request, response } = exchange;
    if (this.#path !== undefined) return this.#passOn(this.#path, exchange);
    if (this.#waiting.length >= MAX_WAITING) return refuse(request, response, "too many are waiting for it");
    this.#waiting.push((path) => {
      if (response.destroyed) return;
      if (path === undefined) refuse(request, response, this.#why);
      else this.#passOn(path, exchange);
    });
    if (this.#waiting.length > 1) return;
    this.#deps.onControlWanted();
    this.#startTimer = setTimeout(() => this.#release(undefined), START_MS);
  }

  stop(): void {
    this.#release(undefined);
    this.#agent.destroy();
  }

  #release(path: string | undefined): void {
    clearTimeout(this.#startTimer);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter(path);
  }

  #passOn(socketPath: string, exchange: Exchange): void {
    const { request, response, peer } = exchange;
    const headers = withoutHeaders(
      endToEndHeaders(request.rawHeaders),
      (name) => name === PEER.toLowerCase(),
    );
    headers.push(PEER, peer);
    const isChunked = request.headers["transfer-encoding"] !== undefined;
    if (isChunked) headers.push("Transfer-Encoding", "chunked");
    const abort = new AbortController();
    const outgoing = http.request({
      socketPath,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: headers as unknown as http.OutgoingHttpHeaders,
      setHost: false,
      agent: this.#agent,
      signal: abort.signal,
    });
    outgoing.on("response", (incoming) => passOn(incoming, response));
    outgoing.on("error", () => {
      if (response.headersSent) return void response.destroy();
      if (response.destroyed) return;
      // it ended after idle minutes just now: another one is started
      const isSafe = request.method === "GET" || request.method === "HEAD";
      if (!isSafe || exchange.isSecondTry) return refuse(request, response, "the control process ended");
      if (this.#path === socketPath) this.#path = undefined;
      this.#handle({ ...exchange, isSecondTry: true });
    });
    response.on("close", () => {
      if (!response.writableFinished) abort.abort();
    });
    request.pipe(outgoing);
  }
}

function refuse(request: http.IncomingMessage, response: http.ServerResponse, why: string): void {
  request.resume();
  response.setHeader("Retry-After", "1");
  sendJson(response, 503, {
    ok: false,
    error: { code: "CONTROL_FAILED", message: `The console is away: ${why}` },
  });
}
