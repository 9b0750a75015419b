import type { CauseId } from "../core/causes.ts";
import type { Clock } from "../core/ports.ts";
import type {
  ClientIdentity,
  ConnectionEnd,
  ConnectionPhase,
  EndedSide,
  RecordEvent,
} from "../core/records.ts";
import { withoutSecrets } from "../core/secrets.ts";

/** Characters of an address, an origin or a path that are kept: a client chooses them. */
const MAX_TEXT = 200;

/** How a connection ended, as the one who ended it knows. */
export interface Ending {
  readonly by: EndedSide;
  /** Undefined without a Close frame. */
  readonly code: number | undefined;
  readonly reason: string;
  readonly phase: ConnectionPhase;
  readonly cause: CauseId;
}

/** What a link has counted; times are monotonic. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly lastActivity: number;
  readonly rttMs: number | null;
}

/** Told of every connection besides the recorder: the metrics. */
export interface ConnectionWitness {
  opened(): void;
  served(heldMs: number): void;
  closed(end: ConnectionEnd): void;
}

/** Gives every client connection an id, and tells the recorder how it goes with it. */
export class ConnectionLog {
  readonly #record: RecordEvent;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #witness: ConnectionWitness;
  #count = 0;

  /** `edgeId` makes the ids of this edge's life different from those of others. */
  constructor(deps: { record: RecordEvent; clock: Clock; edgeId: string; witness: ConnectionWitness }) {
    this.#record = deps.record;
    this.#clock = deps.clock;
    this.#prefix = deps.edgeId;
    this.#witness = deps.witness;
  }

  /** A client's upgrade request is complete. Of its path the query is left out, as it may hold a token. */
  open(client: { address: string; origin: string | undefined; path: string }): ConnectionTrack {
    const id = `${this.#prefix}-${(++this.#count).toString(36)}`;
    this.#record({
      type: "connection-opened",
      id,
      at: this.#clock.wall(),
      address: client.address.slice(0, MAX_TEXT),
      origin: client.origin === undefined ? null : plainOrigin(client.origin),
      path: plainPath(client.path),
    });
    this.#witness.opened();
    return new ConnectionTrack(id, this.#clock, this.#record, this.#witness);
  }
}

/** One client's connection: `open` → (`served`) → `closed`. The first end is the one that counts. */
export class ConnectionTrack {
  readonly id: string;
  readonly #clock: Clock;
  readonly #record: RecordEvent;
  readonly #witness: ConnectionWitness;
  readonly #openedAt: number;
  #isClosed = false;

  constructor(id: string, clock: Clock, record: RecordEvent, witness: ConnectionWitness) {
    this.id = id;
    this.#clock = clock;
    this.#record = record;
    this.#witness = witness;
    this.#openedAt = clock.now();
  }

  served(generation: number): void {
    this.#record({ type: "connection-served", id: this.id, generation });
    this.#witness.served(this.#clock.now() - this.#openedAt);
  }

  identified(client: ClientIdentity): void {
    this.#record({ type: "connection-identified", id: this.id, client });
  }

  closed(ending: Ending, traffic?: Traffic): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const at = this.#clock.wall();
    const sinceActivity = this.#clock.now() - (traffic?.lastActivity ?? this.#openedAt);
    const end: ConnectionEnd = {
      at,
      by: ending.by,
      code: ending.code ?? null,
      reason: plainReason(ending.reason),
      phase: ending.phase,
      cause: ending.cause,
      bytesIn: traffic?.bytesIn ?? 0,
      bytesOut: traffic?.bytesOut ?? 0,
      framesIn: traffic?.framesIn ?? 0,
      framesOut: traffic?.framesOut ?? 0,
      lastActivityAt: Math.round(at - sinceActivity),
      rttMs: traffic?.rttMs ?? null,
    };
    this.#record({ type: "connection-closed", id: this.id, end });
    this.#witness.closed(end);
  }
}

/** `https://user:secret@host/path` is no origin, but nothing keeps a client from sending it. */
function plainOrigin(origin: string): string {
  if (!URL.canParse(origin))
    return origin
      .replace(/\/\/[^/]*@/, "//")
      .replace(/[^\w.:/-].*/s, "")
      .slice(0, MAX_TEXT);
  const { protocol, host } = new URL(origin);
  return `${protocol}//${host}`.slice(0, MAX_TEXT);
}

/** A peer chooses its words: they are shown on terminals, and may hold a secret. */
function plainReason(reason: string): string {
  return withoutSecrets(reason.replace(/[\x00-\x1f\x7f-\x9f]/g, " ")).slice(0, MAX_TEXT);
}

/** Without the query, which may hold a token; of a whole URL (RFC 9112 §3.2.2) only the path. */
function plainPath(target: string): string {
  const path = target.startsWith("/") || !URL.canParse(target) ? target : new URL(target).pathname;
  return path
    .replace(/^[^/]*@/, "")
    .split(/[?#]/, 1)[0]!
    .slice(0, MAX_TEXT);
}
