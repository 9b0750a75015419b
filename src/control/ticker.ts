import { messageOf } from "../core/errors.ts";
import type { IncidentSummary, StreamEvents } from "./contract.ts";
import type { ControlDeps } from "./deps.ts";
import type { EventStream } from "./event-stream.ts";
import { lookNow } from "./look.ts";

/** A person sees a change within a moment; ten consoles share one look. */
const TICK_MS = 2_000;

/** Consoles at once. */
const MAX_STREAMS = 64;

/** Looks every other second while somebody watches, and tells all of them. */
export class Ticker {
  readonly #deps: ControlDeps;
  readonly #streams = new Set<EventStream>();
  /** Incidents as they were last told, by their id. */
  #told: Map<string, string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  get hasRoom(): boolean {
    return this.#streams.size < MAX_STREAMS;
  }

  get isWatched(): boolean {
    return this.#streams.size > 0;
  }

  add(stream: EventStream): void {
    this.#streams.add(stream);
    void stream.closed.then(() => this.#remove(stream));
    this.#timer ??= setInterval(() => void this.#look(), TICK_MS);
    void this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams) stream.end();
  }

  #remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#told = undefined;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { status, sentence, week, edgeConsole } = await lookNow(this.#deps);
      const sample = (await this.#deps.records((store) => store.lastSample())) ?? null;
      const { state, connections, edge, gateway } = status;
      const at = this.#deps.clock.wall();
      this.#send("tick", { at, state, sentence, connections, held: edge.held, gateway, sample, edgeConsole });
      this.#tellIncidents(week);
    } catch (error) {
      this.#deps.log(`cannot look for the console: ${messageOf(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Those that are new or have changed since the first look. */
  #tellIncidents(week: readonly IncidentSummary[]): void {
    const now = new Map(week.map((one) => [one.id, JSON.stringify(one)]));
    const before = this.#told;
    this.#told = now;
    if (before === undefined) return;
    for (const one of week) if (before.get(one.id) !== now.get(one.id)) this.#send("incident", one);
  }

  #send<E extends keyof StreamEvents>(event: E, data: StreamEvents[E]): void {
    for (const stream of this.#streams) stream.send(event, data);
  }
}
