import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";
import { Outbox } from "../../src/client/outbox.ts";
import { Commits } from "../../src/gateway/commits.ts";
import type { GatewayLink } from "../../src/gateway/gateway-link.ts";
import { Journal } from "../../src/gateway/journal/journal.ts";
import { Links } from "../../src/gateway/links.ts";
import { Resumptions } from "../../src/gateway/resumptions.ts";
import { Session } from "../../src/gateway/session.ts";

/** What the gateway writes for a client, until the model delivers it. */
class ModelSocket extends EventEmitter {
  readonly toClient: string[] = [];
  isClosed = false;

  send(text: string): void {
    this.toClient.push(text);
  }

  pong(): void {}
  close(): void {
    this.isClosed = true;
  }

  terminate(): void {}
}

/** A client's connection: a link of its own, as the edge makes it. */
interface Connection {
  readonly link: GatewayLink;
  readonly socket: ModelSocket;
  readonly toGateway: string[];
  isLive: boolean;
}

interface ModelGateway {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly links: Links;
  readonly resumptions: Resumptions;
  readonly sessions: Map<GatewayLink, Session>;
}

interface Ticket {
  readonly session: string;
  readonly secret: string;
}

const NOBODY = {
  connId: "",
  authMark: "",
  client: {},
  role: "operator",
  scopes: [],
  connectedAt: 0,
  presence: {},
};

/**
 * A client that counts and a gateway that answers each message once, of the real parts but for sockets and time. Every step is one thing that
 * may happen next.
 */
export class SessionModel {
  readonly #path: string;
  readonly #outbox = new Outbox();
  #gateway: ModelGateway;
  #connection: Connection | undefined;
  /** The client has left them; the edge passes on what it still has, and notices some time. */
  #left: Connection[] = [];
  #ticket: Ticket | undefined;
  #generation = 0;
  #connections = 0;
  #attempts = 0;
  #sent = 0;
  readonly #received: string[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#gateway = this.#start();
  }

  /** What may happen now. */
  steps(): (() => void)[] {
    const connection = this.#connection;
    const old = this.#left[0];
    return [
      () => this.#clientSends(),
      () => this.#kill(),
      () => this.#gateway.commits.flush(),
      ...(old === undefined ? [] : [() => this.#deliverUp(old), () => this.#notice()]),
      ...(connection === undefined
        ? [() => this.#connect()]
        : [
            () => this.#cut(connection),
            () => this.#deliverUp(connection),
            () => this.#deliverDown(connection),
            () => this.#deliverDown(connection),
            () => this.#acknowledge(connection),
          ]),
    ];
  }

  /** Nothing more goes wrong: everything arrives. */
  settle(): void {
    if (this.#connection === undefined) this.#connect();
    const connection = this.#connection!;
    for (let i = 0; i < 4; i++) {
      while (connection.toGateway.length > 0) this.#deliverUp(connection);
      this.#gateway.commits.flush();
      while (connection.socket.toClient.length > 0) this.#deliverDown(connection);
    }
  }

  /** Each message was answered once, in its order. */
  check(): void {
    assert.deepEqual(
      this.#received,
      Array.from({ length: this.#sent }, (_, i) => `m${i + 1}`),
    );
  }

  close(): void {
    this.#gateway.resumptions.close();
    this.#gateway.journal.close();
  }

  #start(): ModelGateway {
    const generation = ++this.#generation;
    const journal = new Journal(this.#path, { generation, isDurable: false });
    const commits = new Commits({ journal, onUnusable: () => undefined });
    const sessions = new Map<GatewayLink, Session>();
    const links: Links = new Links({
      journal,
      commits,
      onMade: () => undefined,
      keeps: (link, code) => resumptions.keep(link, code),
      onEnded: (link) => {
        const session = sessions.get(link);
        if (session !== undefined) resumptions.end(session);
        sessions.delete(link);
      },
    });
    const resumptions = new Resumptions({
      journal,
      commits,
      wall: () => 0,
      sessionOf: (link) => sessions.get(link),
      onMoved: (session, from, to) => {
        sessions.delete(from);
        sessions.set(to, session);
      },
      forget: (link) => links.forget(link),
    });
    for (const link of links) if (link.state.session !== undefined) sessions.set(link, new Session(link));
    resumptions.recover((key) => links.get(key));
    return { journal, commits, links, resumptions, sessions };
  }

  #clientSends(): void {
    this.#outbox.add(`m${++this.#sent}`);
    this.#flush();
  }

  #flush(): void {
    if (!this.#connection?.isLive) return;
    while (true) {
      const text = this.#outbox.take(true);
      if (text === undefined) return;
      this.#connection.toGateway.push(text as string);
    }
  }

  /** Hello is over at once: it is not what this is about. */
  #connect(): void {
    const { links, commits, sessions } = this.#gateway;
    const offer = { link: `link-${++this.#connections}`, received: 0, tried: 0, stale: 0 };
    const socket = new ModelSocket();
    links.open(offer, { address: "127.0.0.1", isLocal: true }, (link) => {
      link!.attach(socket as unknown as WebSocket, offer);
      this.#connection = { link: link!, socket, toGateway: [], isLive: false };
    });
    commits.flush();
    const { link, toGateway } = this.#connection!;
    commits.now({
      work: () => link.changeState({ session: NOBODY }),
      failed: (error) => assert.fail(String(error)),
    });
    sessions.set(link, new Session(link));
    const method = this.#ticket === undefined ? "clawkit.resume.open" : "clawkit.resume.attach";
    const params = { ...this.#ticket, received: this.#received.length, attempt: ++this.#attempts };
    toGateway.push(JSON.stringify({ type: "req", id: method, method, params }));
  }

  /** The client's network fails: what is under way to it is lost. */
  #cut(connection: Connection): void {
    assert.equal(connection.socket.isClosed, false, "the gateway has closed the client's last connection");
    connection.socket.toClient.length = 0;
    this.#left.push(connection);
    this.#connection = undefined;
  }

  #notice(): void {
    this.#left.shift()!.socket.emit("close", 1001);
  }

  /** Edge and gateway end at once; the next edge holds nobody. */
  #kill(): void {
    this.#gateway.resumptions.close();
    this.#connection = undefined;
    this.#left = [];
    this.#gateway = this.#start();
    this.#gateway.links.keepOnly({ held: [], closed: [] });
  }

  #deliverUp({ link, toGateway }: Connection): void {
    const text = toGateway.shift();
    if (text === undefined) return;
    const n = ++link.arrived;
    const { commits, sessions, resumptions } = this.#gateway;
    commits.add({
      work: () => {
        if (link.isBroken) return;
        const session = sessions.get(link)!;
        if (resumptions.take(link, session, n, text)) return;
        link.store(n);
        session.respond(text, {});
      },
      failed: (error) => assert.fail(String(error)),
    });
  }

  #deliverDown(connection: Connection): void {
    const text = connection.socket.toClient.shift();
    if (text === undefined) return;
    const frame = JSON.parse(text);
    if (frame.type === "ack") return this.#outbox.confirm(frame.n);
    if (!frame.id.startsWith("clawkit.")) {
      this.#received.push(frame.id);
      return;
    }
    assert.equal(frame.ok, true, text);
    connection.isLive = true;
    if (frame.id === "clawkit.resume.open") {
      this.#ticket = frame.payload;
      const lost = this.#outbox.startOver();
      assert.deepEqual(lost, []);
    } else this.#outbox.resume(frame.payload.stored);
    this.#flush();
  }

  #acknowledge({ isLive, toGateway }: Connection): void {
    if (isLive) toGateway.push(JSON.stringify({ type: "ack", n: this.#received.length, ask: true }));
  }
}
