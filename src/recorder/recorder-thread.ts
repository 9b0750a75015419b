import type { MessagePort } from "node:worker_threads";
import { messageOf } from "../core/errors.ts";
import type { IncidentNews } from "../core/messages.ts";
import type { RecorderEvent } from "../core/records.ts";
import { Chronicle } from "./chronicle.ts";
import { isCorruption } from "./database-file.ts";
import { inMemory, openStore, replaceStore } from "./open-store.ts";
import { RunLogTail } from "./run-log-tail.ts";
import type { Bounds, IncidentRow, RecorderStore } from "./store.ts";

const PRUNE_MS = 60_000;

/** What an edge that was away for a moment finds is news; what a new store finds in an old log is history. */
const NEWS_MS = 5 * 60_000;

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
  #tail!: RunLogTail;
  #store!: RecorderStore;
  #chronicle!: Chronicle;
  /** What is told once the transaction under way is kept. */
  #news: (() => void)[] = [];
  #isFailing = false;
  #lostInARow = 0;

  constructor(port: MessagePort, options: RecorderOptions, wall: () => number) {
    this.#port = port;
    this.#options = options;
    this.#wall = wall;
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
    let lost = 0;
    try {
      this.#commit(events);
      this.#recovered();
    } catch (error) {
      lost = isCorruption(error) ? this.#replace(events) : this.#failed(error, events.length);
    }
    this.#send({ type: "done", written: events.length - lost, lost });
  }

  /** All of a batch, or nothing; incidents are told when they are kept. */
  #commit(events: readonly RecorderEvent[]): void {
    this.#news = [];
    try {
      this.#store.transaction(() => {
        // an end that its supervisor wrote down explains the connections that went with it
        if (events.some(tellsOfAnEnd)) this.#takeRuns();
        for (const event of events) this.#chronicle.take(event);
      });
    } catch (error) {
      // what was taken over was not kept: it is all read again, into a chronicle that knows only what is kept
      if (!isCorruption(error)) this.#begin();
      throw error;
    }
    for (const tell of this.#news) tell();
  }

  /** Begins a new store; returns how many of the events are lost. */
  #replace(events: readonly RecorderEvent[]): number {
    try {
      this.#store.close();
    } catch {
      // it is broken: that is why
    }
    this.#use(replaceStore(this.#options.storePath, this.#wall()));
    try {
      this.#commit(events);
      return 0;
    } catch (error) {
      return this.#failed(error, events.length);
    }
  }

  #use({ store, announcement }: { store: RecorderStore; announcement?: string }): void {
    const now = this.#wall();
    this.#store = store;
    if (announcement !== undefined) this.#send({ type: "announcement", text: announcement });
    try {
      this.#begin();
      this.#news = [];
      store.transaction(() => {
        if (announcement !== undefined)
          store.addNote({ at: now, kind: "store-replaced", text: announcement });
        this.#takeRuns();
        this.#chronicle.closeOrphans(this.#options.edgeId, now);
      });
      for (const tell of this.#news) tell();
    } catch (error) {
      // a new file that is corrupt at once is a disk that is: then records are kept in memory
      if (!isCorruption(error)) this.#failed(error, 0);
      else if (announcement === undefined) this.#use(replaceStore(this.#options.storePath, now));
      else this.#use(inMemory(this.#options.storePath, error));
    }
  }

  /** A chronicle that knows what the store has, and has the run log before it. */
  #begin(): void {
    this.#tail = new RunLogTail(this.#options.runLogPath);
    this.#chronicle = new Chronicle(this.#store, (incident, change) => {
      const at = change === "opened" ? incident.openedAt : incident.closedAt!;
      if (this.#wall() - at < NEWS_MS) this.#news.push(() => this.#tell(incident, change));
    });
  }

  /** What is older than the store keeps would come back as if it were new. */
  #takeRuns(): void {
    this.#chronicle.takeRuns(this.#tail.read(), this.#wall() - this.#options.bounds.maxAgeMs);
  }

  #prune(): void {
    try {
      for (let i = 0; i < PRUNE_STEPS; i++) {
        if (this.#store.prune(this.#wall(), this.#options.bounds) === 0) return;
      }
    } catch (error) {
      if (isCorruption(error)) void this.#replace([]);
      else this.#failed(error, 0);
    }
  }

  /** Announced once, until it works again. Returns what is lost. */
  #failed(error: unknown, lost: number): number {
    this.#lostInARow += lost;
    if (this.#isFailing) return lost;
    this.#isFailing = true;
    const text = `Cannot write the flight recorder's store: ${messageOf(error)}. Records are lost until it works again`;
    this.#send({ type: "announcement", text });
    return lost;
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

/** The supervisor wrote to its run log, or is about to: a client may be heard first. */
function tellsOfAnEnd(event: RecorderEvent): boolean {
  return (
    event.type === "runs-changed" ||
    (event.type === "connection-closed" && event.end.cause === "gateway-ended")
  );
}
