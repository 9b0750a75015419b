/**
 * Handshakes with the gateway that one client address may have under way. OpenClaw refuses an address with more
 * than 32 sockets that have not finished their hello; this stays below it.
 */
export const MAX_HANDSHAKES_PER_ADDRESS = 24;

/** Handshakes under way in all: enough to keep a gateway busy, too few to drown one that has just started. */
export const MAX_HANDSHAKES = 256;

/** A client whose upgrade is complete and who has no answer from the gateway yet. */
export interface Held {
  /** Of the client as the gateway sees it: all local ones come from the edge's own. */
  readonly address: string;
  /** Monotonic milliseconds: then the client is told 1013. */
  readonly deadline: number;
}

/**
 * Who waits for the gateway and whose turn it is. First come, first served, except that an address at its limit
 * lets others pass. Each entry is `waiting` → `started` → gone, or back to `waiting` if the gateway died first; or
 * `started` → `admitted` → gone, if more than the upgrade has to be answered before its place is free.
 */
export class HoldQueue<T extends Held> {
  /** Waiting entries in the order they came. */
  readonly #waiting = new Set<T>();
  /** Entries that came back from a failed handshake: they came before all of `#waiting`. In order. */
  #returned: T[] = [];
  readonly #started = new Set<T>();
  /** They have their answer, and still count for the limits. */
  readonly #admitted = new Set<T>();
  readonly #underWayByAddress = new Map<string, number>();
  /** The number each entry drew when it came. */
  readonly #numbers = new WeakMap<T, number>();
  #nextNumber = 0;

  get waiting(): number {
    return this.#waiting.size + this.#returned.length;
  }

  /** Everyone without an answer: waiting or in a handshake. */
  get size(): number {
    return this.waiting + this.#started.size;
  }

  add(entry: T): void {
    this.#numbers.set(entry, this.#nextNumber++);
    this.#waiting.add(entry);
  }

  /** The handshake failed because the gateway is away: wait again, behind nobody who came later. */
  putBack(entry: T): void {
    if (!this.#stop(entry)) return;
    const number = this.#numbers.get(entry)!;
    const at = this.#returned.findIndex((other) => this.#numbers.get(other)! > number);
    this.#returned.splice(at === -1 ? this.#returned.length : at, 0, entry);
  }

  /** The entry has its answer, and keeps its place until it is removed. */
  admit(entry: T): void {
    if (this.#started.delete(entry)) this.#admitted.add(entry);
  }

  /** The entry needs its place no more, or left. */
  remove(entry: T): void {
    if (this.#waiting.delete(entry) || this.#stop(entry)) return;
    this.#returned = this.#returned.filter((other) => other !== entry);
  }

  /** The next entries whose handshake may start now; they count as started. */
  start(): T[] {
    const ready: T[] = [];
    for (const entry of this.#returned) if (this.#tryStart(entry)) ready.push(entry);
    this.#returned = this.#returned.filter((entry) => !this.#started.has(entry));
    for (const entry of this.#waiting) {
      if (this.#underWay >= MAX_HANDSHAKES) break;
      if (!this.#tryStart(entry)) continue;
      this.#waiting.delete(entry);
      ready.push(entry);
    }
    return ready;
  }

  /** Entries whose time has run out, started or not. They stay until removed. */
  expired(now: number): T[] {
    return this.entries().filter((entry) => entry.deadline <= now);
  }

  entries(): T[] {
    return [...this.#returned, ...this.#waiting, ...this.#started];
  }

  get #underWay(): number {
    return this.#started.size + this.#admitted.size;
  }

  #tryStart(entry: T): boolean {
    const underWay = this.#underWayByAddress.get(entry.address) ?? 0;
    if (underWay >= MAX_HANDSHAKES_PER_ADDRESS || this.#underWay >= MAX_HANDSHAKES) return false;
    this.#underWayByAddress.set(entry.address, underWay + 1);
    this.#started.add(entry);
    return true;
  }

  #stop(entry: T): boolean {
    if (!this.#started.delete(entry) && !this.#admitted.delete(entry)) return false;
    const left = this.#underWayByAddress.get(entry.address)! - 1;
    if (left === 0) this.#underWayByAddress.delete(entry.address);
    else this.#underWayByAddress.set(entry.address, left);
    return true;
  }
}
