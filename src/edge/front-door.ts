import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { AddressRanges, isLoopback, plainAddress } from "../core/address-ranges.ts";
import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { EdgeSettings } from "../core/messages.ts";
import type { Clock } from "../core/ports.ts";
import { type Attribution, attribute, type Peer } from "../protocol/attribution.ts";
import { headerValue, headerValues } from "../protocol/headers.ts";
import { isOriginAllowed } from "../protocol/origin.ts";
import { asksForWebSocket, checkUpgrade } from "../protocol/upgrade.ts";
import type { ConnectionLog } from "./connection-log.ts";
import { HandshakeGuard } from "./handshake-guard.ts";
import { closeUpgrade, refuseHttp } from "./refusal.ts";
import type { Visitor } from "./waiting-room.ts";

/** Waiting connections the kernel keeps; the default of 511 overflows when a thousand clients come back at once. */
const BACKLOG = 4096;

/** Room above the connection limit in which a client can still be told 1013 instead of being dropped. */
const OVERFLOW_CONNECTIONS = 256;

/** Idle time of a plain HTTP connection. */
const KEEP_ALIVE_MS = 5_000;

/** In OpenClaw's own config: both decide (host/openclaw-gateway.ts). */
const OPENCLAW_TRUST = "OpenClaw's gateway.trustedProxies, gateway.auth.mode";

export interface FrontDoorDeps {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly connections: ConnectionLog;
  /** Client connections at the moment, held ones included. */
  readonly countConnections: () => number;
  readonly onVisitor: (visitor: Visitor) => void;
  readonly onRequest: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    attribution: Attribution,
  ) => void;
}

/** Accepts connections, decides who comes in, and hands WebSocket upgrades and plain requests on. */
export class FrontDoor {
  readonly #deps: FrontDoorDeps;
  readonly #servers: http.Server[] = [];
  readonly #guard: HandshakeGuard;
  readonly #trustedProxies: AddressRanges;
  /** Whether the gateway is known to tell remote clients from local ones; it may change. */
  upstreamTrustsEdge: boolean;
  readonly trustKey?: string;
  /** Connections whose last request has no complete answer yet: nothing else may be written to them. */
  readonly #unanswered = new Map<Socket, http.ServerResponse>();
  /** Set once the edge is on its way out: whoever still gets in is told this. */
  #farewell: { readonly reason: string; readonly cause: CauseId } | undefined;

  constructor(deps: FrontDoorDeps) {
    this.#deps = deps;
    this.upstreamTrustsEdge = deps.settings.upstreamTrustsEdge;
    if (deps.settings.dialect === "openclaw") this.trustKey = OPENCLAW_TRUST;
    this.#trustedProxies = new AddressRanges(deps.settings.trustedProxies);
    this.#guard = new HandshakeGuard(deps.settings.unfinishedHandshakesPerAddress, deps.clock);
  }

  /** Listens on sockets that somebody else bound. */
  async listen(handles: readonly object[]): Promise<void> {
    const { tls } = this.#deps.settings;
    const credentials =
      tls === undefined ? undefined : { cert: await readFile(tls.cert), key: await readFile(tls.key) };
    for (const handle of handles) {
      const server = this.#createServer(credentials);
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(handle, BACKLOG, () => {
          server.off("error", reject);
          resolve();
        });
      });
    }
  }

  /** Stops accepting. Connections whose request is still coming are told why, by a Close frame. */
  close(reason: string, cause: CauseId): void {
    this.#farewell = { reason, cause };
    this.#guard.stop();
    for (const server of this.#servers) {
      server.close();
      server.closeIdleConnections();
    }
  }

  #createServer(credentials: { cert: Buffer; key: Buffer } | undefined): http.Server {
    const { settings } = this.#deps;
    const options: http.ServerOptions = {
      headersTimeout: settings.handshakeMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      // (from Node 24.9) anything but a WebSocket upgrade is plain HTTP
      shouldUpgradeCallback: (request) => asksForWebSocket(request.rawHeaders),
    };
    const server =
      credentials === undefined
        ? http.createServer(options)
        : https.createServer({ ...options, ...credentials, handshakeTimeout: settings.handshakeMs });
    server.maxHeadersCount = 0; // the head's size is the limit: dropping headers could hide a proxy's claim
    server.maxConnections = settings.maxConnections + OVERFLOW_CONNECTIONS;
    server.on(credentials === undefined ? "connection" : "secureConnection", (socket) =>
      this.#onConnection(socket),
    );
    server.on("request", (request, response) => this.#onRequest(request, response));
    server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket as Socket, head));
    server.on("clientError", (error, socket) => this.#onClientError(error, socket as Socket));
    return server;
  }

  #onConnection(socket: Socket): void {
    this.#guard.begin(socket);
    socket.once("close", () => this.#guard.done(socket));
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { socket } = request;
    this.#guard.done(socket);
    this.#unanswered.set(socket, response);
    response.once("close", () => this.#unanswered.delete(socket));
    if (hasTwoHosts(request)) {
      response.writeHead(400, { Connection: "close" }).end("one Host, please (RFC 9112 §3.2)\n");
      return;
    }
    this.#deps.onRequest(request, response, this.#attribute(request));
  }

  #onUpgrade(request: http.IncomingMessage, socket: Socket, head: Buffer): void {
    const { settings, clock } = this.#deps;
    this.#guard.done(socket);
    socket.on("error", socketOnError);
    socket.setTimeout(0);
    if (this.#unanswered.has(socket)) {
      // sent behind a request that has no answer yet: ours would be taken for that one's
      socket.destroy();
      return;
    }
    const headers = request.rawHeaders;
    if (!asksForWebSocket(headers)) {
      return refuseHttp(socket, { status: 400, message: "only WebSocket upgrades are served here" });
    }
    const malformed = checkUpgrade({
      method: request.method ?? "",
      httpVersion: request.httpVersion,
      headers,
    });
    if (malformed !== undefined) return refuseHttp(socket, malformed);
    if (hasTwoHosts(request))
      return refuseHttp(socket, { status: 400, message: "one Host, please (RFC 9112 §3.2)" });

    const origin = headerValue(headers, "origin");
    const attribution = this.#attribute(request);
    const address = "refusal" in attribution ? this.#peerOf(socket).address : attribution.clientAddress;
    const track = this.#deps.connections.open({ address, origin, path: request.url ?? "/" });
    const refuse = (code: number, reason: string, cause: CauseId = "refused-by-edge") => {
      track.closed({ by: "edge", code, reason, phase: "handshake", cause });
      void closeUpgrade(socket, headers, { code, reason });
    };
    if (this.#farewell !== undefined) {
      return refuse(CLOSE.serviceRestart, this.#farewell.reason, this.#farewell.cause);
    }
    if (!isOriginAllowed(origin, settings.port, settings.allowedOrigins)) {
      return refuse(CLOSE.policyViolation, "origin not allowed: list it in gateway.allowedOrigins");
    }
    if ("refusal" in attribution) return refuse(CLOSE.policyViolation, attribution.refusal);
    if (this.#deps.countConnections() >= settings.maxConnections) {
      return refuse(CLOSE.tryAgainLater, `too many connections: the limit is ${settings.maxConnections}`);
    }
    this.#deps.onVisitor({
      address: attribution.isLocal ? "127.0.0.1" : address,
      clientAddress: address,
      track,
      deadline: clock.now() + settings.holdMs,
      socket,
      requestHeaders: headers,
      path: request.url ?? "/",
      headers: attribution.headers,
      early: head,
    });
  }

  /** Node's parser found something that is no HTTP, or the head did not come in time. */
  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const isHandshaking = "secureConnecting" in socket && socket.secureConnecting === true;
    const isAnswering = this.#unanswered.get(socket)?.headersSent === true;
    if (error.code === "ECONNRESET" || !socket.writable || isHandshaking || isAnswering) {
      socket.destroy();
      return;
    }
    if (error.code === "HPE_HEADER_OVERFLOW") {
      refuseHttp(socket, { status: 431, message: "request head too large" });
    } else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
      refuseHttp(socket, { status: 408, message: "request too slow" });
    } else {
      refuseHttp(socket, { status: 400, message: "bad request" });
    }
  }

  #attribute(request: http.IncomingMessage) {
    const peer = this.#peerOf(request.socket);
    return attribute(request.rawHeaders, peer, this);
  }

  #peerOf(socket: Socket): Peer {
    const address = plainAddress(socket.remoteAddress ?? "");
    return {
      address,
      isLoopback: isLoopback(address),
      isTrustedProxy: this.#trustedProxies.includes(address),
      isTls: "encrypted" in socket,
    };
  }
}

/** 'close' follows. A closure here would keep the request alive as long as its link. */
function socketOnError(this: Socket): void {
  this.destroy();
}

/** RFC 9112 §3.2: which of two would count is a matter of taste, and tastes differ between proxies. */
function hasTwoHosts(request: http.IncomingMessage): boolean {
  return headerValues(request.rawHeaders, "host").length > 1;
}
