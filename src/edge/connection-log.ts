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
  readonly #deps: TrackDeps;
  readonly #prefix: string;
  #count = 0;

  /** `edgeId` makes the ids of this edge's life different from those of others. */
  constructor(deps: TrackDeps & { edgeId: string }) {
    this.#deps = deps;
    this.#prefix = deps.edgeId;
  }

  /** A client's upgrade request is complete. Of its path the query is left out, as it may hold a token. */
  open(client: { address: string; origin: string | undefined; path: string }): ConnectionTrack {
    const id = `${this.#prefix}-${(++this.#count).toString(36)}`;
    const address = client.address.slice(0, MAX_TEXT);
    const at = this.#deps.clock.wall();
    this.#deps.record({
      type: "connection-opened",
      id,
      at,
      address,
      origin: client.origin === undefined ? null : plainOrigin(client.origin),
      path: plainPath(client.path),
    });
    this.#deps.witness.opened();
    return new ConnectionTrack({ id, address, at }, this.#deps);
  }
}

interface TrackDeps {
  readonly clock: Clock;
  readonly record: RecordEvent;
  readonly witness: ConnectionWitness;
}

const UNKNOWN_CLIENT: ClientIdentity = { clientId: null, clientVersion: null, role: null };

/** One client's connection: `open` → (`served`) → `closed`. The first end is the one that counts. */
export class ConnectionTrack {
  readonly id: string;
  readonly address: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly #deps: TrackDeps;
  readonly #openedAt: number;
  #client: ClientIdentity | undefined;
  #isClosed = false;

  constructor(opened: { id: string; address: string; at: number }, deps: TrackDeps) {
    this.id = opened.id;
    this.address = opened.address;
    this.at = opened.at;
    this.#deps = deps;
    this.#openedAt = deps.clock.now();
  }

  /** What the client calls itself, once its first message has come. */
  get client(): ClientIdentity {
    return this.#client ?? UNKNOWN_CLIENT;
  }

  served(generation: number): void {
    const { clock, record, witness } = this.#deps;
    record({ type: "connection-served", id: this.id, generation });
    witness.served(clock.now() - this.#openedAt);
  }

  /** Its link goes on with the next gateway. */
  moved(generation: number): void {
    this.#deps.record({ type: "connection-served", id: this.id, generation });
  }

  identified(client: ClientIdentity): void {
    this.#client = client;
    this.#deps.record({ type: "connection-identified", id: this.id, client });
  }

  closed(ending: Ending, traffic?: Traffic): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { clock, record, witness } = this.#deps;
    const at = clock.wall();
    const sinceActivity = clock.now() - (traffic?.lastActivity ?? this.#openedAt);
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
    record({ type: "connection-closed", id: this.id, end });
    witness.closed(end);
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
