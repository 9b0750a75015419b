import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import http from "node:http";
import type { Duplex } from "node:stream";
import { PROTOCOL_VERSION } from "@openclaw/gateway-protocol/version";
import { type WebSocket, WebSocketServer } from "ws";
import { CLOSE } from "../core/close-codes.ts";
import { messageOf } from "../core/errors.ts";
import type { GatewaySettings } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { VERSION } from "../core/version.ts";
import { LINKS_PATH, type LinkOffer, readOffer, storedHeader } from "../protocol/link-protocol.ts";
import { Authenticator, isSameSecret } from "./auth.ts";
import { Commits, type Task } from "./commits.ts";
import { Devices } from "./devices/devices.ts";
import { EncodedEvent, errorFrame } from "./frames.ts";
import { type GatewayLink, MAX_BUFFERED, MAX_PAYLOAD } from "./gateway-link.ts";
import { type Accepted, type Caller, judgeFirstFrame } from "./handshake.ts";
import type { Journal } from "./journal/journal.ts";
import { openJournal } from "./journal/open-journal.ts";
import { Links } from "./links.ts";
import { type GatewayContext, methods } from "./methods/index.ts";
import { Invokes } from "./nodes/invokes.ts";
import { NodeWork } from "./nodes/node-work.ts";
import { MAX_LISTED } from "./presence.ts";
import { Requests, refusalOf } from "./requests.ts";
import { RESUME_METHODS } from "./resume-frames.ts";
import { Resumptions } from "./resumptions.ts";
import { includesScope } from "./scopes.ts";
import { Session, type SessionState, WithSecret } from "./session.ts";
import { Stability } from "./stability.ts";
import { statusPage } from "./status-page.ts";
import { Suspension } from "./suspension.ts";
import { setMaxPayload } from "./ws-limits.ts";

/** The real gateway's numbers (knowledge: handshake 15 s, tick 30 s, health 60 s, 64 KiB before authentication). */
const HANDSHAKE_MS = 15_000;
const TICK_MS = 30_000;
const HEALTH_MS = 60_000;
const MAX_PAYLOAD_BEFORE_AUTH = 64 * 1024;

/** Changes of presence within this time are told together; with many clients it grows, as everyone gets the list. */
const PRESENCE_MS = 250;
const PRESENCE_MS_PER_CLIENT = 2;

/** Nobody changes presence so often within the life of one gateway: the version goes up also behind a restart. */
const PRESENCE_VERSIONS_PER_LIFE = 1_000_000;

const EVENTS = [
  "connect.challenge",
  "tick",
  "health",
  "presence",
  "shutdown",
  "device.pair.requested",
  "device.pair.resolved",
  "gateway.suspension",
  "node.invoke.request",
  "node.invoke.cancel",
];

const MAX_LINKS_BYTES = 8 * 1024 * 1024;

export interface GatewayDeps {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly process: { readonly pid: number; readonly rssBytes: () => number };
  readonly log: Log;
  readonly requestRestart: (reason: string) => void;
  /** Another gateway has taken the journal over, or it is broken: this one must not go on. */
  readonly onUnusable: (error: Error) => void;
}

/** The built-in gateway: OpenClaw Gateway protocol v4 over a local socket, for its edge alone. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #bootId = randomUUID();
  readonly #startedAt: number;
  readonly #auth: Authenticator;
  readonly #journal: Journal;
  readonly #commits: Commits;
  readonly #links: Links;
  readonly #requests: Requests;
  readonly #resumptions: Resumptions;
  readonly #sessions = new Map<GatewayLink, Session>();
  readonly #devices: Devices;
  readonly #invokes: Invokes;
  readonly #suspension: Suspension;
  readonly #stability: Stability;
  readonly #context: GatewayContext;
  readonly #server: http.Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BEFORE_AUTH,
  });
  #presenceVersion: number;
  #timers: NodeJS.Timeout[] = [];
  #presenceTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Opens the journal and takes up the links in it. Throws what SQLite says. */
  constructor(deps: GatewayDeps) {
    const { settings, clock } = deps;
    this.#deps = deps;
    this.#startedAt = clock.now();
    this.#presenceVersion = settings.generation * PRESENCE_VERSIONS_PER_LIFE + 1;
    this.#auth = new Authenticator(settings.auth, clock);
    const { journal, announcement } = openJournal(settings.journalPath, clock.wall(), settings);
    if (announcement !== undefined) deps.log(announcement);
    this.#journal = journal;
    this.#commits = new Commits({ journal: this.#journal, onUnusable: deps.onUnusable });
    this.#devices = new Devices(journal);
    const wall = () => clock.wall();
    const nodeWork = new NodeWork(journal, wall);
    const { log } = deps;
    this.#invokes = new Invokes({
      journal,
      commits: this.#commits,
      work: nodeWork,
      sessionOf: (key) => this.#sessionOf(key),
      wall,
      log,
    });
    this.#suspension = new Suspension({
      journal,
      commits: this.#commits,
      wall,
      tell: (phase) => this.#tell("operator.read", "gateway.suspension", { phase }),
    });
    this.#stability = new Stability(wall);
    this.#context = {
      settings,
      clock,
      process: deps.process,
      bootId: this.#bootId,
      startedAt: this.#startedAt,
      presence: () => this.#presence(),
      countSessions: () => this.#sessions.size,
      health: () => ({ ok: true, ts: clock.wall(), durationMs: 0 }),
      presenceChanged: () => this.#presenceChanged(),
      requestRestart: deps.requestRestart,
      devices: this.#devices,
      invokes: this.#invokes,
      nodeWork,
      suspension: this.#suspension,
      stability: this.#stability,
      sessions: () => this.#sessions.values(),
      tell: (scope, event, payload) => this.#tell(scope, event, payload),
      showOut: (caller, isMeant) => this.#showOut(caller, isMeant),
      log,
    };
    this.#requests = new Requests({
      journal: this.#journal,
      commits: this.#commits,
      context: this.#context,
      log,
      wall,
    });
    this.#links = new Links({
      journal: this.#journal,
      commits: this.#commits,
      onMade: (link) => this.#challenge(link),
      keeps: (link, code) => this.#resumptions.keep(link, code),
      onEnded: (link) => this.#onLinkEnded(link),
    });
    this.#resumptions = new Resumptions({
      journal: this.#journal,
      commits: this.#commits,
      wall: () => clock.wall(),
      sessionOf: (link) => this.#sessions.get(link),
      onMoved: (session, from, to) => this.#onMoved(session, from, to),
      forget: (link) => this.#links.forget(link),
    });
    this.#recover();
    this.#server = http.createServer((request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
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
      setInterval(() => this.#noteMemory(), HEALTH_MS),
    ];
  }

  #noteMemory(): void {
    this.#stability.note({ type: "memory", memory: { rssBytes: this.#deps.process.rssBytes() } });
  }

  /** Tells clients that they will be closed, as their edge is. */
  announceShutdown(reason: string, restartExpectedMs?: number): void {
    const expected = restartExpectedMs === undefined ? {} : { restartExpectedMs };
    this.#broadcast("shutdown", { reason, ...expected });
    this.#commits.flush();
  }

  /** Commits what is under way and lets go of journal and sockets: its edge takes the links to the next gateway. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#presenceTimer);
    this.#invokes.close();
    this.#suspension.close();
    this.#resumptions.close();
    this.#server.close();
    this.#server.closeAllConnections();
    this.#commits.add({ work: () => this.#journal.absolve(), failed: () => undefined });
    this.#commits.close();
    this.#links.detachAll();
    this.#journal.close();
  }

  /** What the gateway before had stored and not answered. */
  #recover(): void {
    for (const link of this.#links) {
      if (link.state.session === undefined) continue;
      const session = new Session(link);
      if (session.authMark === this.#auth.markOf(link.state.nonce)) this.#sessions.set(link, session);
      else this.#links.forget(link);
    }
    this.#resumptions.recover((key) => this.#links.get(key));
    for (const row of this.#journal.unfinished()) {
      const link = this.#links.get(row.link);
      const session = link === undefined ? undefined : this.#sessions.get(link);
      if (session !== undefined) this.#requests.recover(row, session);
    }
    this.#invokes.recover();
    const { generation } = this.#deps.settings;
    this.#stability.note({ type: "gateway.start", generation, resumed: this.#sessions.size });
    if (this.#sessions.size > 0)
      this.#deps.log(`${this.#sessions.size} clients of the gateway before go on here`);
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
      case LINKS_PATH:
        readIds(request).then(
          (ids) => {
            this.#links.keepOnly(ids);
            json(200, { ok: true });
          },
          (error) => json(400, { ok: false, error: messageOf(error) }),
        );
        return;
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

  #onUpgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const caller = this.#callerOf(request);
    const offer = readOffer(request.rawHeaders);
    if (caller === undefined) return refuseUpgrade(socket, "403 Forbidden");
    if (offer === undefined) return refuseUpgrade(socket, "400 Bad Request");
    this.#links.open(offer, caller, (link, error) => {
      if (error !== undefined) {
        this.#stability.note({ type: "journal.unwritable" });
        this.#deps.log(`cannot let a client in: the journal cannot be written: ${messageOf(error)}`);
        return refuseUpgrade(socket, "503 Service Unavailable");
      }
      // its position is lost, or it never was in this journal
      if (link === undefined) return refuseUpgrade(socket, "410 Gone");
      if (!this.#sessions.has(link)) this.#awaitHello(link);
      const tellStored = (headers: string[]) => headers.push(storedHeader(link.stored));
      this.#sockets.on("headers", tellStored);
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#onAttached(webSocket, link, offer),
      );
      this.#sockets.off("headers", tellStored); // an upgrade that is refused emits none
    });
  }

  #onAttached(socket: WebSocket, link: GatewayLink, offer: LinkOffer): void {
    if (this.#sessions.has(link)) setMaxPayload(socket, MAX_PAYLOAD);
    link.attach(socket, offer);
    socket.on("message", (data, isBinary) => {
      if (!link.isCarriedBy(socket)) return;
      const n = ++link.arrived;
      const text = isBinary ? "" : data.toString();
      this.#commits.add({
        work: () => this.#take(link, n, text, socket),
        failed: (error) => {
          this.#stability.note({ type: "journal.unwritable" });
          // who counts its messages cannot have one that is none
          if (this.#sessions.get(link)?.resumable !== undefined)
            return link.breakOff(CLOSE.tryAgainLater, "the journal cannot be written, try again in 5 s");
          const refusal = refusalOf(text, error);
          if (refusal !== undefined) link.refuse(n, refusal);
        },
        isAlone: this.#requests.isSuspect(link, n),
      });
    });
  }

  /** A link whose client never said anything is not kept: it may have left before it was let in. */
  #awaitHello(link: GatewayLink): void {
    const silence = setTimeout(() => {
      if (link.stored > 0) return;
      if (link.isAttached) link.hangUp();
      else this.#links.forget(link);
    }, HANDSHAKE_MS);
    silence.unref();
  }

  /** Within a commit. */
  #challenge(link: GatewayLink): void {
    const payload = { nonce: link.state.nonce, ts: this.#deps.clock.wall() };
    link.emit(JSON.stringify({ type: "event", event: "connect.challenge", payload }));
  }

  /** Within a commit: the client's message `n`. */
  #take(link: GatewayLink, n: number, text: string, socket: WebSocket): void {
    if (link.isBroken) return;
    // whoever is shown out is not heard again
    if (link.state.closing !== undefined) return link.store(n);
    const session = this.#sessions.get(link);
    if (session !== undefined) {
      if (!this.#resumptions.take(link, session, n, text)) this.#requests.take(link, session, n, text);
      return;
    }
    link.store(n);
    const { caller, nonce } = link.state;
    const now = this.#deps.clock.wall();
    const verdict = judgeFirstFrame(text, { caller, nonce, auth: this.#auth, devices: this.#devices, now });
    if ("close" in verdict) {
      const { response, close, requested } = verdict;
      if (requested !== undefined) this.#tell("operator.pairing", "device.pair.requested", requested);
      if (response !== undefined) link.emit(errorFrame(response.id, response.error));
      link.close(close.code, close.reason);
      return;
    }
    setMaxPayload(socket, MAX_PAYLOAD);
    this.#accept(link, verdict);
  }

  #accept(link: GatewayLink, accepted: Accepted): void {
    const { requestId, params, role, scopes, deviceToken } = accepted;
    const { client, device } = params;
    const identity = device === undefined ? {} : { deviceId: device.id };
    const { caps, commands, permissions } = params;
    const now = this.#deps.clock.wall();
    const state: SessionState = {
      connId: randomUUID(),
      authMark: this.#auth.markOf(link.state.nonce),
      client,
      role,
      scopes,
      ...identity,
      ...(role === "node" && {
        ...(caps && { caps }),
        ...(commands && { commands }),
        ...(permissions && { permissions }),
      }),
      connectedAt: now,
      presence: {
        ts: now,
        ip: link.state.caller.address,
        version: client.version,
        platform: client.platform,
        mode: client.mode,
        reason: "connect",
        roles: [role],
        scopes: [...scopes],
        ...identity,
        ...(client.displayName === undefined ? {} : { host: client.displayName }),
        ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
        ...(client.instanceId === undefined ? {} : { instanceId: client.instanceId }),
      },
    };
    link.changeState({ session: state });
    const session = new Session(link);
    this.#sessions.set(link, session);
    this.#commits.undo(() => this.#sessions.delete(link));
    this.#presenceChanged();
    const hello = this.#hello(session);
    if (deviceToken === undefined) return session.respond(requestId, hello);
    const { token, issuedAtMs } = deviceToken;
    const auth = { ...hello.auth, deviceToken: token, issuedAtMs };
    session.respond(requestId, new WithSecret({ ...hello, auth }, hello));
  }

  #hello(session: Session) {
    return {
      type: "hello-ok",
      protocol: PROTOCOL_VERSION,
      server: { version: VERSION, connId: session.connId, bootId: this.#bootId },
      features: { methods: [...methods.keys(), ...RESUME_METHODS], events: EVENTS },
      snapshot: {
        presence: this.#presence(),
        health: this.#context.health(),
        stateVersion: { presence: this.#presenceVersion, health: 1 },
        uptimeMs: Math.round(this.#deps.clock.now() - this.#startedAt),
        suspension: { phase: this.#suspension.phase },
      },
      auth: { role: session.role, scopes: session.scopes },
      policy: { maxPayload: MAX_PAYLOAD, maxBufferedBytes: MAX_BUFFERED, tickIntervalMs: TICK_MS },
    };
  }

  #onLinkEnded(link: GatewayLink): void {
    const session = this.#sessions.get(link);
    if (session === undefined) return;
    this.#sessions.delete(link);
    this.#resumptions.end(session);
    if (this.#isClosed) return;
    this.#presenceChanged();
    this.#invokes.onEnded(link.key);
  }

  /** Within a commit. */
  #onMoved(session: Session, from: GatewayLink, to: GatewayLink): void {
    const fresh = this.#sessions.get(to)!;
    this.#sessions.delete(from);
    this.#sessions.set(to, session);
    this.#commits.undo(() => {
      this.#sessions.set(from, session);
      this.#sessions.set(to, fresh);
    });
    this.#invokes.move(session, from.key, to.key);
    this.#presenceChanged();
  }

  #sessionOf(key: number): Session | undefined {
    const link = this.#links.get(key);
    return link === undefined ? undefined : this.#sessions.get(link);
  }

  #presence() {
    return [...this.#sessions.values()].slice(-MAX_LISTED).map(({ presence }) => presence);
  }

  /** Told soon, and once for many changes: everyone gets the whole list, and clients come back by the hundred. */
  #presenceChanged(): void {
    this.#presenceVersion++;
    this.#presenceTimer ??= setTimeout(
      () => {
        this.#presenceTimer = undefined;
        const stateVersion = { presence: this.#presenceVersion, health: 1 };
        this.#broadcast("presence", { presence: this.#presence() }, stateVersion);
      },
      PRESENCE_MS + this.#sessions.size * PRESENCE_MS_PER_CLIENT,
    );
  }

  /** Within a commit: an event for the operators with this scope. */
  #tell(scope: string, event: string, payload: unknown): void {
    const encoded = new EncodedEvent(event, payload);
    for (const session of this.#sessions.values())
      if (includesScope(session.scopes, scope)) session.sendEvent(encoded, null);
  }

  /** Within a commit: the caller itself goes once it is answered. */
  #showOut(caller: Session, isMeant: (session: Session) => boolean): void {
    for (const session of this.#sessions.values()) {
      if (!isMeant(session)) continue;
      const { link } = session;
      const close = () => {
        if (link.isParked) this.#commits.after(() => this.#links.forget(link));
        link.close(CLOSE.credentialsChanged, "gateway auth changed");
      };
      if (session === caller) this.#requests.onceAnswered(close);
      else close();
    }
  }

  /** Encoded once, and once in the journal, for all. One that cannot be written is not sent: ticks come again. */
  #broadcast(...event: ConstructorParameters<typeof EncodedEvent>): void {
    this.#commits.add(this.#telling(...event));
  }

  #telling(...event: ConstructorParameters<typeof EncodedEvent>): Task {
    const encoded = new EncodedEvent(...event);
    return {
      work: () => {
        if (this.#sessions.size === 0) return;
        this.#journal.dropBroadcasts();
        const broadcast = this.#journal.broadcast(encoded.head);
        for (const session of this.#sessions.values()) session.sendEvent(encoded, broadcast);
      },
      failed: (error) =>
        this.#deps.log(`${event[0]} is not told: the journal cannot be written: ${messageOf(error)}`),
    };
  }
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function readIds(request: http.IncomingMessage): Promise<ReadonlySet<string>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_LINKS_BYTES) throw new Error(`more than ${MAX_LINKS_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  const ids = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string")) throw new Error("no list of ids");
  return new Set(ids);
}
