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
  /** Of a client with an identity. */
  readonly deviceId?: string;
  /** What a node declares. */
  readonly caps?: readonly string[];
  readonly commands?: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>>;
  /** Wall-clock milliseconds. */
  readonly connectedAt: number;
  readonly presence: PresenceEntry;
}

/** An answer with a secret in it, which no file has: if the gateway ends before the client has it, it gets the one without. */
export class WithSecret {
  readonly told: object;
  readonly kept: object;

  constructor(told: object, kept: object) {
    this.told = told;
    this.kept = kept;
  }
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

  get deviceId(): string | undefined {
    return this.#state.deviceId;
  }

  get caps(): readonly string[] {
    return this.#state.caps ?? [];
  }

  get commands(): readonly string[] {
    return this.#state.commands ?? [];
  }

  get permissions(): SessionState["permissions"] {
    return this.#state.permissions;
  }

  get connectedAt(): number {
    return this.#state.connectedAt;
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
    if (payload instanceof WithSecret)
      this.#emit(responseFrame(id, payload.told), responseFrame(id, payload.kept));
    else this.#emit(responseFrame(id, payload));
  }

  respondError(id: string, error: ErrorShape): void {
    this.#emit(errorFrame(id, error));
  }

  /** `kept` is what stands for it in the journal. */
  #emit(text: string, kept = text): void {
    this.link.emit(text, kept);
    this.resumable?.keep(kept);
  }

  /** Whether the client of another session may do what this one's may, and no less. */
  mayBe({ role, scopes, deviceId }: Session): boolean {
    return (
      deviceId === this.deviceId &&
      role === this.role &&
      String([...scopes].sort()) === String([...this.scopes].sort())
    );
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
