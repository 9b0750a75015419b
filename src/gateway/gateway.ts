import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { PROTOCOL_VERSION } from "@openclaw/gateway-protocol/version";
import type { WebSocket } from "ws";
import { CLOSE } from "../core/close-codes.ts";
import { messageOf } from "../core/errors.ts";
import type { GatewaySettings } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { VERSION } from "../core/version.ts";
import type { LinkOffer } from "../protocol/link-protocol.ts";
import { Audience } from "./audience.ts";
import { Authenticator } from "./auth.ts";
import { Commits } from "./commits.ts";
import { Devices } from "./devices/devices.ts";
import { errorFrame } from "./frames.ts";
import { type GatewayLink, MAX_BUFFERED, MAX_PAYLOAD } from "./gateway-link.ts";
import { GatewayServer } from "./gateway-server.ts";
import { type Accepted, judgeFirstFrame } from "./handshake.ts";
import type { Journal } from "./journal/journal.ts";
import { openJournal } from "./journal/open-journal.ts";
import { Links } from "./links.ts";
import { type GatewayContext, methods } from "./methods/index.ts";
import type { Modules } from "./modules/modules.ts";
import { Invokes } from "./nodes/invokes.ts";
import { NodeWork } from "./nodes/node-work.ts";
import { refusalOf } from "./request-texts.ts";
import { Requests } from "./requests.ts";
import { RESUME_METHODS } from "./resume-frames.ts";
import { Resumptions } from "./resumptions.ts";
import { Session, type SessionState, WithSecret } from "./session.ts";
import { Stability } from "./stability.ts";
import { Suspension } from "./suspension.ts";
import { setMaxPayload } from "./ws-internals.ts";

/** A first message that was in flight at two ends of the gateway may be their cause; at five, if those were kills (for memory). */
const MAX_GREETINGS = 1;
const MAX_KILLED_GREETINGS = 4;

/** The real gateway's numbers (knowledge: handshake 15 s, tick 30 s, health 60 s). */
const HANDSHAKE_MS = 15_000;
const TICK_MS = 30_000;
const HEALTH_MS = 60_000;

/** Characters of what a client calls itself: everyone is told it, with every change. */
const MAX_NAME = 200;

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

export interface GatewayDeps {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly process: { readonly pid: number; readonly rssBytes: () => number };
  readonly log: Log;
  readonly requestRestart: (reason: string) => void;
  /** Loaded, as far as they could be. */
  readonly modules: Modules;
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
  readonly #audience: Audience;
  readonly #devices: Devices;
  readonly #invokes: Invokes;
  readonly #suspension: Suspension;
  readonly #stability: Stability;
  readonly #context: GatewayContext;
  readonly #server: GatewayServer;
  #timers: NodeJS.Timeout[] = [];
  #isClosed = false;

  /** Opens the journal and takes up the links in it. Throws what SQLite says. */
  constructor(deps: GatewayDeps) {
    const { settings, clock } = deps;
    this.#deps = deps;
    this.#startedAt = clock.now();
    this.#auth = new Authenticator(settings.auth, clock);
    const { journal, announcement } = openJournal(settings.journalPath, clock.wall(), settings);
    if (announcement !== undefined) deps.log(announcement);
    this.#journal = journal;
    this.#commits = new Commits({ journal: this.#journal, onUnusable: deps.onUnusable });
    const { log } = deps;
    const { generation } = settings;
    this.#audience = new Audience({ journal, commits: this.#commits, generation, log });
    this.#devices = new Devices(journal);
    const wall = () => clock.wall();
    const nodeWork = new NodeWork(journal, wall);
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
      tell: (phase) => this.#audience.tell("operator.read", "gateway.suspension", { phase }),
    });
    this.#stability = new Stability(wall);
    deps.modules.tell({
      onMethodFailed: (method) => this.#stability.note({ type: "method.failed", method }),
      onChanged: (path, trouble) =>
        this.#stability.note({
          type: trouble === undefined ? "module.ready" : "module.failed",
          module: basename(path),
        }),
    });
    this.#context = {
      settings,
      clock,
      process: deps.process,
      bootId: this.#bootId,
      startedAt: this.#startedAt,
      presence: () => this.#audience.presence(),
      countSessions: () => this.#audience.size,
      health: () => ({ ok: true, ts: clock.wall(), durationMs: 0 }),
      presenceChanged: () => this.#audience.presenceChanged(),
      requestRestart: deps.requestRestart,
      devices: this.#devices,
      invokes: this.#invokes,
      nodeWork,
      suspension: this.#suspension,
      stability: this.#stability,
      modules: deps.modules,
      sessions: () => this.#audience.sessions(),
      tell: (scope, event, payload) => this.#audience.tell(scope, event, payload),
      showOut: (caller, isMeant) => this.#showOut(caller, isMeant),
      log,
    };
    this.#requests = new Requests({
      journal: this.#journal,
      commits: this.#commits,
      context: this.#context,
      methodOf: (name) => methods.get(name) ?? deps.modules.get(name),
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
      sessionOf: (link) => this.#audience.get(link),
      onMoved: (session, from, to) => this.#onMoved(session, from, to),
      forget: (link) => this.#links.forget(link),
    });
    this.#recover();
    this.#server = new GatewayServer({
      socketPath: settings.socketPath,
      edgeKey: settings.edgeKey,
      links: this.#links,
      status: () => ({
        port: settings.port,
        connections: this.#audience.size,
        uptimeMs: clock.now() - this.#startedAt,
        generation,
      }),
      onFound: (link) => this.#awaitHello(link),
      onAttached: (socket, link, offer) => this.#onAttached(socket, link, offer),
      onUnwritable: (error) => {
        this.#stability.note({ type: "journal.unwritable" });
        log(`cannot let a client in: the journal cannot be written: ${messageOf(error)}`);
      },
    });
  }

  async listen(): Promise<void> {
    await this.#server.listen();
    this.#timers = [
      setInterval(() => this.#audience.broadcast("tick", { ts: this.#deps.clock.wall() }), TICK_MS),
      setInterval(() => this.#audience.broadcast("health", this.#context.health()), HEALTH_MS),
      setInterval(() => this.#noteMemory(), HEALTH_MS),
    ];
  }

  #noteMemory(): void {
    this.#stability.note({ type: "memory", memory: { rssBytes: this.#deps.process.rssBytes() } });
  }

  /** Tells clients that they will be closed, as their edge is. */
  announceShutdown(reason: string, restartExpectedMs?: number): void {
    const expected = restartExpectedMs === undefined ? {} : { restartExpectedMs };
    this.#audience.broadcast("shutdown", { reason, ...expected });
    this.#commits.flush();
  }

  /** Commits what is under way and lets go of journal and sockets: its edge takes the links to the next gateway. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#audience.close();
    this.#invokes.close();
    this.#suspension.close();
    this.#server.close();
    this.#commits.flush(); // what it begins counts as begun, until the next line
    this.#commits.add({ work: () => this.#journal.absolve(), failed: () => undefined });
    this.#commits.close();
    this.#resumptions.close(); // what was committed just now still counts
    this.#links.detachAll();
    this.#journal.close();
    this.#deps.modules.close();
  }

  /** What the gateway before had stored and not answered. */
  #recover(): void {
    for (const link of this.#links) {
      if (link.state.session === undefined) continue;
      const session = new Session(link);
      if (session.authMark === this.#auth.markOf(link.state.nonce)) this.#audience.restore(session);
      else this.#links.forget(link);
    }
    this.#resumptions.recover((key) => this.#links.get(key));
    for (const row of this.#journal.unfinished()) {
      const session = this.#sessionOf(row.link);
      if (session !== undefined) this.#requests.recover(row, session);
    }
    this.#invokes.recover();
    const { generation } = this.#deps.settings;
    this.#stability.note({ type: "gateway.start", generation, resumed: this.#audience.size });
    if (this.#audience.size > 0)
      this.#deps.log(`${this.#audience.size} clients of the gateway before go on here`);
  }

  #onAttached(socket: WebSocket, link: GatewayLink, offer: LinkOffer): void {
    if (this.#audience.has(link)) setMaxPayload(socket, MAX_PAYLOAD);
    link.attach(socket, offer);
    socket.on("message", (data, isBinary) => {
      if (!link.isCarriedBy(socket)) return;
      const n = ++link.arrived;
      const text = isBinary ? "" : data.toString();
      this.#commits.add({
        work: () => this.#take(link, n, text, socket),
        failed: (error) => this.#refuse(link, n, text, error),
        isAlone: this.#requests.isSuspect(link, n),
      });
    });
  }

  /** Message `n` cannot be written. */
  #refuse(link: GatewayLink, n: number, text: string, error: unknown): void {
    this.#stability.note({ type: "journal.unwritable" });
    // who counts its messages cannot have one that is none
    if (this.#audience.get(link)?.resumable !== undefined)
      return link.breakOff(CLOSE.tryAgainLater, "the journal cannot be written, try again in 5 s");
    const refusal = refusalOf(text, error);
    if (refusal !== undefined) link.refuse(n, refusal);
  }

  /** A link whose client never said anything is not kept: it may have left before it was let in. */
  #awaitHello(link: GatewayLink): void {
    if (this.#audience.has(link)) return;
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
    const session = this.#audience.get(link);
    if (session !== undefined) {
      if (!this.#resumptions.take(link, session, n, text)) this.#requests.take(link, session, n, text);
      return;
    }
    if (this.#requests.isSuspect(link, n)) this.#greetSuspect(link, n, text, socket);
    else this.#greet(link, n, text, socket);
  }

  /** Within a commit: a first message that was in flight when a gateway ended is read once more, and not a third time. */
  #greetSuspect(link: GatewayLink, n: number, text: string, socket: WebSocket): void {
    const { tries = 0 } = link.state;
    if (tries >= (this.#deps.settings.isBehindKill ? MAX_KILLED_GREETINGS : MAX_GREETINGS)) {
      this.#deps.log(
        "a client's first message was in flight when the gateway ended, twice: it is not read again",
      );
      link.store(n);
      return link.close(CLOSE.serviceRestart, "gateway restarted twice while you connected, reconnect");
    }
    link.changeState({ tries: tries + 1 });
    const work = () => this.#greet(link, n, text, socket);
    const failed = (error: unknown) => this.#refuse(link, n, text, error);
    this.#commits.after(() => this.#commits.now({ work, failed }));
  }

  /** Within a commit: its first message. */
  #greet(link: GatewayLink, n: number, text: string, socket: WebSocket): void {
    link.store(n);
    const { caller, nonce } = link.state;
    const now = this.#deps.clock.wall();
    const isHere = (id: string) => [...this.#audience.sessions()].some(({ deviceId }) => deviceId === id);
    const [auth, devices] = [this.#auth, this.#devices];
    const verdict = judgeFirstFrame(text, { caller, nonce, auth, devices, isHere, now });
    if ("close" in verdict) {
      const { response, close, requested } = verdict;
      if (requested !== undefined)
        this.#audience.tell("operator.pairing", "device.pair.requested", requested);
      if (response !== undefined) link.emit(errorFrame(response.id, response.error));
      link.close(close.code, close.reason);
      return;
    }
    for (const id of verdict.superseded ?? []) {
      this.#context.nodeWork.clear(id);
      this.#deps.log(`device ${id} was forgotten: the same client came as another one`);
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
        version: client.version.slice(0, MAX_NAME),
        platform: client.platform.slice(0, MAX_NAME),
        mode: client.mode,
        reason: "connect",
        roles: [role],
        scopes: [...scopes],
        ...identity,
        ...(client.displayName && { host: client.displayName.slice(0, MAX_NAME) }),
        ...(client.deviceFamily && { deviceFamily: client.deviceFamily.slice(0, MAX_NAME) }),
        ...(client.instanceId && { instanceId: client.instanceId.slice(0, MAX_NAME) }),
      },
    };
    link.changeState({ session: state });
    const session = new Session(link);
    this.#audience.add(session);
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
      features: {
        methods: [...methods.keys(), ...this.#deps.modules.names, ...RESUME_METHODS],
        events: EVENTS,
      },
      snapshot: {
        presence: this.#audience.presence(),
        health: this.#context.health(),
        stateVersion: this.#audience.stateVersion,
        uptimeMs: Math.round(this.#deps.clock.now() - this.#startedAt),
        suspension: { phase: this.#suspension.phase },
      },
      auth: { role: session.role, scopes: session.scopes },
      policy: { maxPayload: MAX_PAYLOAD, maxBufferedBytes: MAX_BUFFERED, tickIntervalMs: TICK_MS },
    };
  }

  #onLinkEnded(link: GatewayLink): void {
    const session = this.#audience.get(link);
    if (session === undefined) return;
    this.#audience.remove(link);
    this.#resumptions.end(session);
    if (this.#isClosed) return;
    this.#audience.presenceChanged();
    this.#invokes.onEnded(link.key);
  }

  /** Within a commit. */
  #onMoved(session: Session, from: GatewayLink, to: GatewayLink): void {
    this.#audience.move(session, from, to);
    this.#invokes.move(session, from.key, to.key);
  }

  #sessionOf(key: number): Session | undefined {
    return this.#audience.get(this.#links.get(key));
  }

  /** Within a commit: the caller itself goes once it is answered. */
  #showOut(caller: Session, isMeant: (session: Session) => boolean): void {
    for (const session of this.#audience.sessions()) {
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
}
