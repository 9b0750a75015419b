import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { Commits } from "./commits.ts";
import { EncodedEvent } from "./frames.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { Journal } from "./journal/journal.ts";
import { MAX_LISTED, type PresenceEntry } from "./presence.ts";
import { includesScope } from "./scopes.ts";
import type { Session } from "./session.ts";

/** Changes of presence within this time are told together; with many clients it grows, as everyone gets the list. */
const PRESENCE_MS = 250;
const PRESENCE_MS_PER_CLIENT = 2;

/** Nobody changes presence so often within the life of one gateway: the version goes up also behind a restart. */
const PRESENCE_VERSIONS_PER_LIFE = 1_000_000;

/** Clients that are told of something in one turn of the event loop: a few milliseconds. */
const AT_ONCE = 50;

export interface AudienceDeps {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly generation: number;
  readonly log: Log;
}

/** Who said hello, by link, and what all of them are told. */
export class Audience {
  readonly #deps: AudienceDeps;
  readonly #sessions = new Map<GatewayLink, Session>();
  #presenceVersion: number;
  #presenceTimer: NodeJS.Timeout | undefined;

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
    this.#presenceVersion = deps.generation * PRESENCE_VERSIONS_PER_LIFE + 1;
  }

  get size(): number {
    return this.#sessions.size;
  }

  has(link: GatewayLink): boolean {
    return this.#sessions.has(link);
  }

  get(link: GatewayLink | undefined): Session | undefined {
    return link === undefined ? undefined : this.#sessions.get(link);
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** A client of the gateway before. */
  restore(session: Session): void {
    this.#sessions.set(session.link, session);
  }

  /** Within a commit. */
  add(session: Session): void {
    const { link } = session;
    this.#sessions.set(link, session);
    this.#deps.commits.undo(() => this.#sessions.delete(link));
    this.presenceChanged();
  }

  remove(link: GatewayLink): void {
    this.#sessions.delete(link);
  }

  /** Within a commit: this session goes on over `to`, where its client had just begun another. */
  move(session: Session, from: GatewayLink, to: GatewayLink): void {
    const fresh = this.#sessions.get(to)!;
    this.#sessions.delete(from);
    this.#sessions.set(to, session);
    this.#deps.commits.undo(() => {
      this.#sessions.set(from, session);
      this.#sessions.set(to, fresh);
    });
    this.presenceChanged();
  }

  get stateVersion() {
    return { presence: this.#presenceVersion, health: 1 };
  }

  close(): void {
    clearTimeout(this.#presenceTimer);
  }

  presence(): PresenceEntry[] {
    return [...this.#sessions.values()].slice(-MAX_LISTED).map(({ presence }) => presence);
  }

  /** Told soon, and once for many changes: everyone gets the whole list, and clients come back by the hundred. */
  presenceChanged(): void {
    this.#presenceVersion++;
    this.#presenceTimer ??= setTimeout(
      () => {
        this.#presenceTimer = undefined;
        this.broadcast("presence", { presence: this.presence() }, this.stateVersion);
      },
      PRESENCE_MS + this.#sessions.size * PRESENCE_MS_PER_CLIENT,
    );
  }

  /** Within a commit: an event for the operators with this scope. */
  tell(scope: string, event: string, payload: unknown): void {
    const encoded = new EncodedEvent(event, payload);
    for (const session of this.#sessions.values())
      if (includesScope(session.scopes, scope)) session.sendEvent(encoded, null);
  }

  /**
   * Encoded once, and once in the journal, for all, some clients at a time so that others are answered meanwhile. One that cannot be
   * written is not sent: ticks come again.
   */
  broadcast(...event: ConstructorParameters<typeof EncodedEvent>): void {
    const { journal, log } = this.#deps;
    const encoded = new EncodedEvent(...event);
    const sessions = [...this.#sessions.values()];
    let broadcast: number | undefined;
    for (let from = 0; from < sessions.length; from += AT_ONCE) {
      this.#deps.commits.add({
        work: () => {
          if (from === 0) {
            journal.dropBroadcasts();
            broadcast = journal.broadcast(encoded.head);
          }
          if (broadcast === undefined) return; // its head could not be written
          for (const session of sessions.slice(from, from + AT_ONCE)) {
            // one that left meanwhile, or went on as the session before
            if (this.#sessions.get(session.link) === session) session.sendEvent(encoded, broadcast);
          }
        },
        failed: (error) => {
          if (from === 0) broadcast = undefined;
          log(`${event[0]} is not told: the journal cannot be written: ${messageOf(error)}`);
        },
        isPatient: true,
      });
    }
  }
}
