import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";
import { LinkRetention } from "../../src/edge/link-retention.ts";
import { Commits } from "../../src/gateway/commits.ts";
import type { GatewayLink } from "../../src/gateway/gateway-link.ts";
import { Journal } from "../../src/gateway/journal/journal.ts";
import { Links } from "../../src/gateway/links.ts";
import { decodeNote, encodeNote } from "../../src/protocol/link-protocol.ts";

/** What travels between edge and gateway: a message, or a Pong. */
type Frame = { readonly message: string } | { readonly pong: Buffer };

/** The gateway's end of a link's socket, without a network: what it sends waits until the model delivers it. */
class ModelSocket extends EventEmitter {
  readonly toEdge: Frame[] = [];

  send(message: string): void {
    this.toEdge.push({ message });
  }

  pong(pong: Buffer): void {
    this.toEdge.push({ pong });
  }

  close(): void {}
  terminate(): void {}
}

interface ModelGateway {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly links: Links;
}

/**
 * A client, its edge and a gateway that answers each message once, of the real parts but for sockets and time. Every step
 * is one thing that may happen next; what is in flight when the gateway is killed is lost.
 */
export class LinkModel {
  readonly #path: string;
  readonly #retention = new LinkRetention({ now: () => 0, retained: { bytes: 0 } });
  #gateway: ModelGateway;
  #link: GatewayLink | undefined;
  #socket: ModelSocket | undefined;
  #toGateway: Frame[] = [];
  #generation = 0;
  #sent = 0;
  /** Messages of the gateway that the client has. */
  readonly received: string[] = [];
  isLost = false;

  constructor(path: string) {
    this.#path = path;
    this.#gateway = this.#start();
  }

  /** What may happen now. */
  steps(): (() => void)[] {
    const always = [() => this.#clientSends(), () => this.#kill()];
    if (this.#socket === undefined) return [...always, () => this.#attach()];
    return [
      ...always,
      () => this.#gateway.commits.flush(),
      () => this.#acknowledge(),
      () => this.#replace(),
      () => this.#cut(),
      ...(this.#toGateway.length > 0 ? [() => this.#deliverUp()] : []),
      ...(this.#socket.toEdge.length > 0 ? [() => this.#deliverDown()] : []),
    ];
  }

  /** Nothing more goes wrong: everything arrives. */
  settle(): void {
    if (this.#socket === undefined) this.#attach();
    for (let i = 0; i < 3; i++) {
      while (this.#toGateway.length > 0) this.#deliverUp();
      this.#gateway.commits.flush();
      while (this.#socket!.toEdge.length > 0) this.#deliverDown();
      this.#acknowledge();
    }
  }

  /** Each message was answered once, in its order. */
  check(): void {
    assert.equal(this.isLost, false, "a position was lost");
    assert.deepEqual(this.received, [
      "hello",
      ...Array.from({ length: this.#sent }, (_, i) => `answer ${i + 1}`),
    ]);
  }

  close(): void {
    this.#gateway.journal.close();
  }

  #start(): ModelGateway {
    const generation = ++this.#generation;
    const journal = new Journal(this.#path, { generation, isDurable: false });
    const commits = new Commits({ journal, onUnusable: () => undefined });
    const links = new Links({
      journal,
      commits,
      onMade: (link) => link.emit("hello"),
      keeps: () => false,
      onEnded: () => undefined,
    });
    return { journal, commits, links };
  }

  #clientSends(): void {
    const text = `message ${++this.#sent}`;
    this.#retention.keep(Buffer.from(text));
    this.#retention.messageEnded();
    if (this.#socket !== undefined) this.#toGateway.push({ message: text });
  }

  #kill(): void {
    const wasAttached = this.#socket !== undefined;
    this.#lose();
    if (wasAttached) this.#retention.lost();
    this.#gateway = this.#start();
  }

  /** The socket fails, and the gateway lives. */
  #cut(): void {
    this.#lose();
    this.#retention.lost();
  }

  /** A planned restart: what the gateway has taken it commits, and lets go. */
  #replace(): void {
    this.#gateway.commits.close();
    this.#lose();
    this.#gateway.journal.close();
    this.#gateway = this.#start();
  }

  #lose(): void {
    if (this.#socket !== undefined) this.#retention.detached();
    this.#socket = undefined;
    this.#link = undefined;
    this.#toGateway = [];
  }

  #attach(): void {
    const offer = { link: "one", ...this.#retention.offer(this.received.length) };
    const socket = new ModelSocket();
    this.#gateway.links.open(offer, { address: "127.0.0.1", isLocal: true }, (link) => {
      if (link === undefined || !this.#retention.acknowledged(link.stored)) {
        this.isLost = true;
        return;
      }
      this.#link = link;
      this.#socket = socket;
      link.attach(socket as unknown as WebSocket, offer);
      this.#retention.attached(this.received.length);
      this.#toGateway = [...this.#retention.frames()].map((frames) => ({ message: frames.toString() }));
    });
    this.#gateway.commits.flush();
  }

  #deliverUp(): void {
    const frame = this.#toGateway.shift()!;
    if ("pong" in frame) return void this.#socket!.emit("pong", frame.pong);
    const link = this.#link!;
    const n = ++link.arrived;
    this.#gateway.commits.add({
      work: () => {
        link.store(n);
        link.emit(frame.message.replace("message", "answer"));
      },
      failed: (error) => assert.fail(String(error)),
    });
  }

  #deliverDown(): void {
    const frame = this.#socket!.toEdge.shift()!;
    if ("message" in frame) {
      this.received.push(frame.message);
      this.#retention.passedOn(this.received.length);
      return;
    }
    const note = decodeNote(frame.pong)!;
    if (!this.#retention.acknowledged(note.n)) this.isLost = true;
  }

  #acknowledge(): void {
    const n = this.#retention.due(this.received.length);
    if (n !== undefined) this.#toGateway.push({ pong: encodeNote({ kind: "ack", n }) });
  }
}
