import { CLOSE } from "../core/close-codes.ts";
import type { Commits } from "./commits.ts";
import type { Journal } from "./journal/journal.ts";
import type { Counts, ResumableRow } from "./journal/resumable-table.ts";
import type { Session } from "./session.ts";

/** The client's messages before their number is confirmed; the last ones are after `ACK_MS`. */
const ACK_EVERY = 64;
const ACK_MS = 500;

/** Of our messages to one client that it has not confirmed, characters. */
export const MAX_KEPT = 32 * 1024 * 1024;

export interface ResumableHost {
  readonly journal: Journal;
  readonly commits: Commits;
}

/** What of a session outlives its client's connection: messages by number, and those of ours that the client may not have. */
export class Resumable {
  readonly key: number;
  readonly id: string;
  readonly digest: string;
  readonly session: Session;
  /** Wall-clock milliseconds; undefined while the client is there. */
  leftAt: number | undefined;
  /** The client's last move to another link: one before it is from a connection that the client has left. */
  attempt: number;
  readonly #host: ResumableHost;
  #counts: Counts;
  #received: number;
  /** Sizes of what is kept, from `#received + 1` on. */
  readonly #sizes: number[] = [];
  #told: number;
  #timer: NodeJS.Timeout | undefined;
  #isTouched = false;
  #isOver = false;

  /** Characters that are kept. */
  bytes = 0;

  constructor(row: ResumableRow, session: Session, host: ResumableHost) {
    this.key = row.key;
    this.id = row.id;
    this.digest = row.digest;
    this.session = session;
    this.leftAt = row.leftAt ?? undefined;
    this.attempt = row.attempt;
    this.#host = host;
    this.#counts = { taken: row.taken, emitted: row.emitted };
    this.#received = row.received;
    this.#told = row.taken;
    for (const { length } of host.journal.resumable.kept(row.key, row.received)) this.#note(length);
  }

  /** The client's messages that are stored, or done. */
  get taken(): number {
    return this.#counts.taken;
  }

  /** Whether a client can go on that has `received` of our messages. */
  canGoOn(received: number): boolean {
    return received >= this.#received && received <= this.#counts.emitted;
  }

  /** Within the commit that stores a message of the client, or does it. */
  take(): void {
    this.#touch();
    this.#counts = { ...this.#counts, taken: this.taken + 1 };
    if (this.taken - this.#told >= ACK_EVERY) return this.tell();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#host.commits.add({ work: () => this.tell(), failed: () => undefined });
    }, ACK_MS).unref();
  }

  /** Within a commit: tells the client how many of its messages are stored. */
  tell(): void {
    const told = this.#told;
    this.#host.commits.undo(() => {
      this.#told = told;
    });
    this.#told = this.taken;
    this.session.link.emit(JSON.stringify({ type: "ack", n: this.taken }));
  }

  /** Within the commit that emits it. */
  keep(text: string): void {
    if (this.#isOver) return;
    this.#touch();
    const emitted = this.#counts.emitted + 1;
    this.#counts = { ...this.#counts, emitted };
    this.#host.journal.resumable.keep(this.key, emitted, text);
    this.#note(text.length);
    const { link } = this.session;
    if (this.bytes > MAX_KEPT && !link.isParked) link.close(CLOSE.policyViolation, "slow consumer");
  }

  /** Within a commit: the client has our messages up to `n`. */
  release(n: number): void {
    if (n <= this.#received || !this.canGoOn(n)) return;
    const received = this.#received;
    const sizes = this.#sizes.splice(0, n - received);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#host.commits.undo(() => {
      this.#sizes.unshift(...sizes);
      this.bytes += bytes;
      this.#received = received;
    });
    this.bytes -= bytes;
    this.#received = n;
    this.#host.journal.resumable.release(this.key, n);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  readonly writeLeft = () => this.#host.journal.resumable.setLeft(this.key, this.leftAt ?? null);

  #note(size: number): void {
    this.#sizes.push(size);
    this.bytes += size;
  }

  /** Counts are written once a commit, and go back with it. */
  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    const { commits } = this.#host;
    const before = this.#counts;
    const first = this.#received + this.#sizes.length;
    commits.undo(() => {
      this.#isTouched = false;
      this.#counts = before;
      for (const size of this.#sizes.splice(first - this.#received)) this.bytes -= size;
    });
    commits.last(this.#writeCounts);
    commits.after(() => {
      this.#isTouched = false;
    });
  }

  readonly #writeCounts = () => this.#host.journal.resumable.setCounts(this.key, this.#counts);
}
