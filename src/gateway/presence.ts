/** One client as others see it: the protocol's PresenceEntry. */
export interface PresenceEntry {
  readonly ts: number;
  readonly host?: string;
  readonly ip?: string;
  readonly version?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly mode?: string;
  readonly reason?: string;
  readonly text?: string;
  readonly tags?: string[];
  readonly lastInputSeconds?: number;
  readonly instanceId?: string;
  readonly roles?: string[];
  readonly scopes?: string[];
}

const MAX_LISTED = 200;

/** Who is there. The version goes up with every change. */
export class Presence {
  readonly #entries = new Map<string, PresenceEntry>();
  #version = 1;

  get version(): number {
    return this.#version;
  }

  set(connId: string, entry: PresenceEntry): void {
    this.#entries.set(connId, entry);
    this.#version++;
  }

  update(connId: string, change: Partial<PresenceEntry>): void {
    const entry = this.#entries.get(connId);
    if (entry !== undefined) this.set(connId, { ...entry, ...change });
  }

  delete(connId: string): void {
    if (this.#entries.delete(connId)) this.#version++;
  }

  /** The newest entries: everyone gets the list, so with a thousand clients a whole one would be a flood. */
  list(): PresenceEntry[] {
    return [...this.#entries.values()].slice(-MAX_LISTED);
  }
}
