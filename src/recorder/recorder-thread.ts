import type { MessagePort } from "node:worker_threads";
import { messageOf } from "../core/errors.ts";
import type { IncidentNews } from "../core/messages.ts";
import type { RecorderEvent } from "../core/records.ts";
import { Chronicle } from "./chronicle.ts";
import { openStore, replaceStore } from "./open-store.ts";
import { RunLogTail } from "./run-log-tail.ts";
import { isCorruption } from "./sqlite-store.ts";
import type { Bounds, IncidentRow, RecorderStore } from "./store.ts";

const PRUNE_MS = 60_000;

/** Pieces that are pruned in a row; the rest waits for the next time, as events do not. */
const PRUNE_STEPS = 20;

export interface RecorderOptions {
  readonly storePath: string;
  readonly runLogPath: string;
  /** The ids of this edge's connections begin with it. */
  readonly edgeId: string;
  readonly bounds: Bounds;
}

export type ToThread =
  | { readonly type: "events"; readonly events: readonly RecorderEvent[] }
  | { readonly type: "close" };

export type FromThread =
  /** A batch is written, or lost (`lost` > 0). */
  | { readonly type: "done"; readonly written: number; readonly lost: number }
  | { readonly type: "announcement"; readonly text: string }
  | { readonly type: "incident"; readonly change: "opened" | "closed"; readonly incident: IncidentNews }
  | { readonly type: "closed" };

/** The flight recorder's thread: writes batches of events into the store until it is told to close. */
export class RecorderThread {
  readonly #port: MessagePort;
  readonly #options: RecorderOptions;
  readonly #wall: () => number;
  readonly #timer: NodeJS.Timeout;
  #tail: RunLogTail;
  #store!: RecorderStore;
  #chronicle!: Chronicle;
  #isFailing = false;
  #lostInARow = 0;

  constructor(port: MessagePort, options: RecorderOptions, wall: () => number) {
    this.#port = port;
    this.#options = options;
    this.#wall = wall;
    this.#tail = new RunLogTail(options.runLogPath);
    this.#use(openStore(options.storePath, wall()));
    this.#timer = setInterval(() => this.#prune(), PRUNE_MS);
    this.#prune();
    port.on("message", (message: ToThread) => this.#onMessage(message));
  }

  #onMessage(message: ToThread): void {
    if (message.type === "events") return this.#write(message.events);
    clearInterval(this.#timer);
    this.#store.close();
    this.#send({ type: "closed" });
    this.#port.close();
  }

  #write(events: readonly RecorderEvent[]): void {
    try {
      this.#commit(events);
      this.#recovered();
      this.#send({ type: "done", written: events.length, lost: 0 });
    } catch (error) {
      if (isCorruption(error)) return this.#replace(events);
      this.#failed(error, events.length);
      this.#send({ type: "done", written: 0, lost: events.length });
    }
  }

  #commit(events: readonly RecorderEvent[]): void {
    const news: (() => void)[] = [];
    const chronicle = this.#chronicle;
    this.#onIncident = (incident, change) => news.push(() => this.#tell(incident, change));
    try {
      this.#store.transaction(() => {
        // an end that its supervisor wrote down explains the connections that went with it
        if (events.some(({ type }) => type === "runs-changed")) chronicle.takeRuns(this.#tail.read());
        for (const event of events) chronicle.take(event);
      });
    } catch (error) {
      // what was taken over was not kept: it is all read again, into a chronicle that knows only what is kept
      this.#tail = new RunLogTail(this.#options.runLogPath);
      this.#chronicle = new Chronicle(this.#store, (incident, change) => this.#onIncident(incident, change));
      throw error;
    }
    for (const tell of news) tell();
  }

  #onIncident: (incident: IncidentRow, change: "opened" | "closed") => void = (incident, change) =>
    this.#tell(incident, change);

  #replace(events: readonly RecorderEvent[]): void {
    try {
      this.#store.close();
    } catch {
      // it is broken: that is why
    }
    this.#tail = new RunLogTail(this.#options.runLogPath);
    this.#use(replaceStore(this.#options.storePath, this.#wall()));
    try {
      this.#commit(events);
      this.#send({ type: "done", written: events.length, lost: 0 });
    } catch (error) {
      this.#failed(error, events.length);
      this.#send({ type: "done", written: 0, lost: events.length });
    }
  }

  #use({ store, announcement }: { store: RecorderStore; announcement?: string }): void {
    const now = this.#wall();
    this.#store = store;
    this.#chronicle = new Chronicle(store, (incident, change) => this.#onIncident(incident, change));
    if (announcement !== undefined) this.#send({ type: "announcement", text: announcement });
    try {
      store.transaction(() => {
        if (announcement !== undefined)
          store.addNote({ at: now, kind: "store-replaced", text: announcement });
        this.#chronicle.takeRuns(this.#tail.read());
        this.#chronicle.closeOrphans(this.#options.edgeId, now);
      });
    } catch (error) {
      if (isCorruption(error)) this.#use(replaceStore(this.#options.storePath, now));
      else this.#failed(error, 0);
    }
  }

  #prune(): void {
    try {
      for (let i = 0; i < PRUNE_STEPS; i++) {
        if (this.#store.prune(this.#wall(), this.#options.bounds) === 0) return;
      }
    } catch (error) {
      if (isCorruption(error)) this.#replace([]);
      else this.#failed(error, 0);
    }
  }

  /** Announced once, until it works again. */
  #failed(error: unknown, lost: number): void {
    this.#lostInARow += lost;
    if (this.#isFailing) return;
    this.#isFailing = true;
    const text = `Cannot write the flight recorder's store: ${messageOf(error)}. Records are lost until it works again`;
    this.#send({ type: "announcement", text });
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const text = `Writing the flight recorder's store works again; ${this.#lostInARow} records were lost`;
    this.#lostInARow = 0;
    this.#store.addNote({ at: this.#wall(), kind: "records-dropped", text });
    this.#send({ type: "announcement", text });
  }

  #tell(incident: IncidentRow, change: "opened" | "closed"): void {
    this.#send({ type: "incident", change, incident: newsOf(incident, this.#store) });
  }

  #send(message: FromThread): void {
    this.#port.postMessage(message);
  }
}

function newsOf(incident: IncidentRow, store: RecorderStore): IncidentNews {
  const { id, role, cause, verdict, summary, openedAt, closedAt } = incident;
  return {
    id,
    role,
    cause,
    verdict,
    summary,
    openedAt: new Date(openedAt).toISOString(),
    closedAt: closedAt === null ? null : new Date(closedAt).toISOString(),
    clients: store.countConnections({ incident: id }),
  };
}
