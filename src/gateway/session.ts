import type { Commits } from "./commits.ts";
import type { EncodedEvent, ErrorShape } from "./frames.ts";
import { errorFrame, responseFrame } from "./frames.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { Accepted, Caller } from "./handshake.ts";
import type { PresenceEntry } from "./presence.ts";
import type { Resumable } from "./resumable.ts";

/** What is kept of a client that said hello, in the journal: no secret is among it. */
export interface SessionState {
  readonly connId: string;
  /** Of the secret that it was let in by. */
  readonly authMark: string;
  readonly client: Accepted["params"]["client"];
  readonly role: Accepted["role"];
  readonly scopes: readonly string[];
  /** Wall-clock milliseconds. */
  readonly connectedAt: number;
  readonly presence: PresenceEntry;
}

/** One authenticated client. What it is sent leaves with the commit that it is part of. */
export class Session {
  /** Another one, once its client has resumed it. */
  link: GatewayLink;
  /** If its client may resume it. */
  resumable: Resumable | undefined;

  constructor(link: GatewayLink) {
    this.link = link;
  }

  get #state(): SessionState {
    return this.link.state.session as SessionState;
  }

  get authMark(): string {
    return this.#state.authMark;
  }

  get connId(): string {
    return this.#state.connId;
  }

  get caller(): Caller {
    return this.link.state.caller;
  }

  get client(): SessionState["client"] {
    return this.#state.client;
  }

  get role(): SessionState["role"] {
    return this.#state.role;
  }

  get scopes(): readonly string[] {
    return this.#state.scopes;
  }

  get presence(): PresenceEntry {
    return this.#state.presence;
  }

  /** Within a commit. */
  updatePresence(change: Partial<PresenceEntry>): void {
    const presence = { ...this.presence, ...change };
    this.link.changeState({ session: { ...this.#state, presence } satisfies SessionState });
  }

  sendEvent(event: EncodedEvent, broadcast: number | null): void {
    const text = this.link.emitEvent(event, broadcast);
    if (text !== undefined) this.resumable?.keep(text);
  }

  respond(id: string, payload: unknown): void {
    this.#emit(responseFrame(id, payload));
  }

  respondError(id: string, error: ErrorShape): void {
    this.#emit(errorFrame(id, error));
  }

  #emit(text: string): void {
    this.link.emit(text);
    this.resumable?.keep(text);
  }

  /** Whether the client of another session may do what this one's may, and no less. */
  mayBe({ role, scopes }: Session): boolean {
    return role === this.role && String([...scopes].sort()) === String([...this.scopes].sort());
  }

  /** Within a commit: goes on over another link, where its client has just said hello again. */
  moveTo(link: GatewayLink, commits: Commits): void {
    const from = this.link;
    const { presence } = this;
    commits.undo(() => {
      this.link = from;
    });
    link.changeState({
      session: { ...(link.state.session as SessionState), presence } satisfies SessionState,
    });
    link.takeOver(from);
    this.link = link;
  }
}
