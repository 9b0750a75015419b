import { randomBytes, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import http from "node:http";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { PROTOCOL_VERSION } from "@openclaw/gateway-protocol/version";
import { type WebSocket, WebSocketServer } from "ws";
import { CLOSE, fitCloseReason } from "../core/close-codes.ts";
import { messageOf } from "../core/errors.ts";
import type { GatewaySettings } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { VERSION } from "../core/version.ts";
import { Authenticator, isSameSecret } from "./auth.ts";
import { EncodedEvent, type ErrorShape, errorFrame, MethodError } from "./frames.ts";
import { type Accepted, type Caller, judgeFirstFrame } from "./handshake.ts";
import { type GatewayContext, methods } from "./methods/index.ts";
import { Presence } from "./presence.ts";
import { type RequestFrame, readRequestFrame } from "./schemas.ts";
import { MAX_BUFFERED, MAX_PAYLOAD, Session } from "./session.ts";
import { statusPage } from "./status-page.ts";
import { setMaxPayload } from "./ws-limits.ts";

/** The real gateway's numbers (knowledge: handshake 15 s, tick 30 s, health 60 s, 64 KiB before authentication). */
const HANDSHAKE_MS = 15_000;
const TICK_MS = 30_000;
const HEALTH_MS = 60_000;
const MAX_PAYLOAD_BEFORE_AUTH = 64 * 1024;

/** Changes of presence within this time are told together; with many clients it grows, as everyone gets the list. */
const PRESENCE_MS = 250;
const PRESENCE_MS_PER_CLIENT = 2;

const EVENTS = ["connect.challenge", "tick", "health", "presence", "shutdown"];

/** Closing takes at most this long: a client that does not answer its Close frame is not waited for. */
const CLOSE_MS = 1_000;

export interface GatewayDeps {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly process: { readonly pid: number; readonly rssBytes: () => number };
  readonly log: Log;
  readonly requestRestart: (reason: string) => void;
}

/** The built-in gateway: OpenClaw Gateway protocol v4 over a local socket, for its edge alone. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #bootId = randomUUID();
  readonly #startedAt: number;
  readonly #auth: Authenticator;
  readonly #presence = new Presence();
  readonly #sessions = new Set<Session>();
  readonly #context: GatewayContext;
  readonly #server: http.Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BEFORE_AUTH,
  });
  #timers: NodeJS.Timeout[] = [];
  #presenceTimer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    this.#auth = new Authenticator(deps.settings.auth, deps.clock);
    this.#context = {
      settings: deps.settings,
      clock: deps.clock,
      process: deps.process,
      bootId: this.#bootId,
      startedAt: this.#startedAt,
      presence: this.#presence,
      countSessions: () => this.#sessions.size,
      health: () => ({ ok: true, ts: deps.clock.wall(), durationMs: 0 }),
      presenceChanged: () => this.#broadcastPresence(),
      requestRestart: deps.requestRestart,
    };
    this.#server = http.createServer((request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      const caller = this.#callerOf(request);
      if (caller === undefined) {
        socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#onConnection(webSocket, caller),
      );
    });
  }

  async listen(): Promise<void> {
    const { socketPath } = this.#deps.settings;
    if (!socketPath.startsWith("\\\\")) await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path: socketPath, backlog: 4096 }, resolve);
    });
    this.#timers = [
      setInterval(() => this.#broadcast("tick", { ts: this.#deps.clock.wall() }), TICK_MS),
      setInterval(() => this.#broadcast("health", this.#context.health()), HEALTH_MS),
    ];
  }

  /** Tells clients that the end is planned. Their sockets are closed by whoever ends us: the edge, or `close`. */
  announceShutdown(reason: string, restartExpectedMs?: number): void {
    this.#broadcast("shutdown", {
      reason,
      ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }),
    });
  }

  /** Closes every client with 1012, as the real gateway does for a stop and for a restart. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#presenceTimer);
    if (this.#sessions.size > 0) this.announceShutdown("gateway stopping");
    for (const socket of this.#sockets.clients) socket.close(CLOSE.serviceRestart, "service restart");
    this.#server.close();
    this.#server.closeIdleConnections();
    const deadline = this.#deps.clock.now() + CLOSE_MS;
    while (this.#sockets.clients.size > 0 && this.#deps.clock.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.#callerOf(request) === undefined) {
      response.writeHead(403).end();
      return;
    }
    const path = (request.url ?? "/").split("?", 1)[0];
    const json = (status: number, body: object) => {
      response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      response.end(`${JSON.stringify(body)}\n`);
    };
    switch (path) {
      case "/":
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" });
        response.end(
          statusPage({
            port: this.#deps.settings.port,
            connections: this.#sessions.size,
            uptimeMs: this.#deps.clock.now() - this.#startedAt,
            generation: this.#deps.settings.generation,
          }),
        );
        return;
      case "/healthz":
        return json(200, { ok: true, status: "live" });
      case "/startupz":
        return json(200, { ok: true, status: "started" });
      case "/readyz":
        return json(200, { ready: true, failing: [] });
      default:
        return json(404, { ok: false, error: `no such page: ${path}` });
    }
  }

  /** Only our edge knows the key; it says who its client is. Undefined for anybody else. */
  #callerOf(request: http.IncomingMessage): Caller | undefined {
    const key = request.headers["x-clawkit-edge"];
    if (typeof key !== "string" || !isSameSecret(key, this.#deps.settings.edgeKey)) return undefined;
    const forwarded = request.headers["x-forwarded-for"];
    if (typeof forwarded !== "string") return { address: "127.0.0.1", isLocal: true };
    // with a chain of trusted proxies the first entry is theirs to vouch for; the edge adds the last
    return { address: forwarded.split(",")[0]!.trim(), isLocal: false };
  }

  #onConnection(socket: WebSocket, caller: Caller): void {
    const connId = randomUUID();
    let session: Session | undefined;
    let isRejected = false;
    const silence = setTimeout(() => socket.close(CLOSE.normal), HANDSHAKE_MS);
    socket.on("error", () => undefined); // 'close' follows
    socket.on("close", () => {
      clearTimeout(silence);
      if (session !== undefined) this.#onSessionEnded(session);
    });
    socket.on("message", (data, isBinary) => {
      if (session !== undefined) {
        if (!isBinary) void this.#onFrame(session, data.toString());
        return;
      }
      clearTimeout(silence);
      if (isRejected) return;
      const verdict = judgeFirstFrame(isBinary ? "" : data.toString(), caller, this.#auth);
      if ("close" in verdict) {
        isRejected = true;
        if (verdict.response !== undefined)
          socket.send(errorFrame(verdict.response.id, verdict.response.error));
        socket.close(verdict.close.code, fitCloseReason(verdict.close.reason));
        return;
      }
      setMaxPayload(socket, MAX_PAYLOAD);
      session = this.#onAccepted(connId, socket, { caller, accepted: verdict });
    });
    const challenge = { nonce: randomBytes(16).toString("base64url"), ts: this.#deps.clock.wall() };
    socket.send(JSON.stringify({ type: "event", event: "connect.challenge", payload: challenge }));
  }

  #onAccepted(connId: string, socket: WebSocket, options: { caller: Caller; accepted: Accepted }): Session {
    const { clock } = this.#deps;
    const session = new Session(connId, socket, { ...options, now: clock.now() });
    const { client } = session;
    this.#sessions.add(session);
    this.#presence.set(connId, {
      ts: clock.wall(),
      ip: options.caller.address,
      version: client.version,
      platform: client.platform,
      mode: client.mode,
      reason: "connect",
      roles: [session.role],
      scopes: [...session.scopes],
      ...(client.displayName === undefined ? {} : { host: client.displayName }),
      ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
      ...(client.instanceId === undefined ? {} : { instanceId: client.instanceId }),
    });
    session.respond(options.accepted.requestId, this.#hello(session));
    this.#broadcastPresence();
    return session;
  }

  #hello(session: Session) {
    return {
      type: "hello-ok",
      protocol: PROTOCOL_VERSION,
      server: { version: VERSION, connId: session.connId, bootId: this.#bootId },
      features: { methods: [...methods.keys()], events: EVENTS },
      snapshot: {
        presence: this.#presence.list(),
        health: this.#context.health(),
        stateVersion: { presence: this.#presence.version, health: 1 },
        uptimeMs: Math.round(this.#deps.clock.now() - this.#startedAt),
      },
      auth: { role: session.role, scopes: session.scopes },
      policy: { maxPayload: MAX_PAYLOAD, maxBufferedBytes: MAX_BUFFERED, tickIntervalMs: TICK_MS },
    };
  }

  #onSessionEnded(session: Session): void {
    this.#sessions.delete(session);
    this.#presence.delete(session.connId);
    if (!this.#isClosing) this.#broadcastPresence();
  }

  /** After hello anything that is no request is ignored, as the real gateway does. */
  async #onFrame(session: Session, text: string): Promise<void> {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return;
    }
    const frame = readRequestFrame(parsed);
    if ("problem" in frame) return;
    try {
      session.respond(frame.value.id, await this.#run(session, frame.value));
    } catch (error) {
      session.respondError(frame.value.id, this.#errorOf(frame.value, error));
    }
  }

  async #run(session: Session, frame: RequestFrame): Promise<unknown> {
    const chosen = methods.get(frame.method);
    if (chosen === undefined) {
      throw new MethodError({ code: ErrorCodes.INVALID_REQUEST, message: `unknown method: ${frame.method}` });
    }
    if (!hasScope(session, chosen.scope)) {
      throw new MethodError({
        code: ErrorCodes.FORBIDDEN,
        message: `missing scope: ${chosen.scope}`,
        details: { code: "MISSING_SCOPE", missingScope: chosen.scope, requiredScopes: [chosen.scope] },
      });
    }
    const params = chosen.read(frame.params);
    if ("problem" in params) {
      throw new MethodError({
        code: ErrorCodes.INVALID_REQUEST,
        message: `invalid ${frame.method} params: ${params.problem}`,
      });
    }
    return await chosen.run(params.value, session, this.#context);
  }

  #errorOf(frame: RequestFrame, error: unknown): ErrorShape {
    if (error instanceof MethodError) return error.shape;
    this.#deps.log(`method ${frame.method} failed: ${messageOf(error)}`);
    return { code: ErrorCodes.UNAVAILABLE, message: `${frame.method} failed: see the gateway's log` };
  }

  /** Soon, and once for many changes: everyone gets the whole list, and clients come back by the hundred. */
  #broadcastPresence(): void {
    this.#presenceTimer ??= setTimeout(
      () => {
        this.#presenceTimer = undefined;
        this.#sendPresence();
      },
      PRESENCE_MS + this.#sessions.size * PRESENCE_MS_PER_CLIENT,
    );
  }

  #sendPresence(): void {
    const stateVersion = { presence: this.#presence.version, health: 1 };
    this.#broadcast("presence", { presence: this.#presence.list() }, stateVersion);
  }

  #broadcast(event: string, payload: unknown, stateVersion?: { presence: number; health: number }): void {
    const encoded = new EncodedEvent(event, payload, stateVersion);
    for (const session of this.#sessions) session.sendEvent(encoded);
  }
}

/** Admin may do everything, and whoever may write may read. */
const INCLUDED_IN: Readonly<Record<string, readonly string[]>> = {
  "operator.read": ["operator.read", "operator.write", "operator.admin"],
  "operator.admin": ["operator.admin"],
};

function hasScope(session: Session, scope: string): boolean {
  return INCLUDED_IN[scope]!.some((granted) => session.scopes.includes(granted));
}
