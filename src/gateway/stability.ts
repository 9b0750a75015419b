/** As many as the real gateway keeps. */
const CAPACITY = 1_000;

export interface StabilityEvent {
  /** From 1, of this gateway's life. */
  readonly seq: number;
  /** Wall-clock milliseconds. */
  readonly ts: number;
  readonly type:
    | "gateway.start"
    | "memory"
    | "method.failed"
    | "module.ready"
    | "module.failed"
    | "request.quarantined"
    | "journal.unwritable";
  readonly method?: string;
  /** Its file's name. */
  readonly module?: string;
  readonly generation?: number;
  /** Clients of the gateway before that go on here. */
  readonly resumed?: number;
  readonly memory?: { readonly rssBytes: number };
}

export interface StabilityQuery {
  readonly limit?: number;
  readonly type?: string;
  readonly sinceSeq?: number;
}

/** What happened to this gateway, without anything that a client sent. */
export class Stability {
  readonly #wall: () => number;
  #events: StabilityEvent[] = [];
  #seq = 0;

  constructor(wall: () => number) {
    this.#wall = wall;
  }

  note(event: Omit<StabilityEvent, "seq" | "ts">): void {
    this.#events.push({ seq: ++this.#seq, ts: this.#wall(), ...event });
    if (this.#events.length > CAPACITY) this.#events.shift();
  }

  /** The latest of those that are asked for. */
  snapshot({ limit = 50, type, sinceSeq = 0 }: StabilityQuery) {
    const found = this.#events.filter((event) => event.seq > sinceSeq && (type ?? event.type) === event.type);
    const byType: Record<string, number> = {};
    for (const event of found) byType[event.type] = (byType[event.type] ?? 0) + 1;
    return {
      generatedAt: new Date(this.#wall()).toISOString(),
      capacity: CAPACITY,
      count: found.length,
      dropped: this.#seq - this.#events.length,
      firstSeq: found[0]?.seq,
      lastSeq: found.at(-1)?.seq,
      events: found.slice(-limit),
      summary: { byType },
    };
  }
}
