import { encodeFrame, OPCODE } from "../protocol/frames.ts";
import type { LinkOffer } from "../protocol/link-protocol.ts";
import { RetainedMessages } from "../protocol/retained-messages.ts";

/** What a client may have sent that a living gateway has not stored: beyond it, it has to wait. */
const MUCH_BYTES = 1024 * 1024;
const MUCH_MESSAGES = 1_000;

/** What is held for a gateway that is away, of one link and of all: a message of 25 MiB has room. */
const TOO_MUCH_BYTES = 32 * 1024 * 1024;
const TOO_MUCH_MESSAGES = 10_000;
const TOO_MUCH_UNGREETED = 128 * 1024;
const TOO_MUCH_IN_ALL = 256 * 1024 * 1024;

/** The reference client waits 30 s for an answer (knowledge: openclaw.md). */
const STALE_MS = 30_000;

/** What is left of a message that was answered without being stored. A mask of zeros is a valid one (RFC 6455 §5.3). */
const EMPTY = encodeFrame(OPCODE.text, Buffer.alloc(0), Buffer.alloc(4));

interface RetentionHost {
  readonly now: () => number;
  readonly retained: { bytes: number };
}

/** How far a link has come, and what of its client is held for the next gateway. */
export class LinkRetention {
  readonly #host: RetentionHost;
  readonly #messages = new RetainedMessages();
  /** The client's messages that the last gateway was given, and those that one may have begun to work on. */
  #given = 0;
  #tried = 0;
  /** Of the gateway's messages: those that it knows are passed on, and those that are not counted. */
  #acknowledged = 0;
  #uncounted = 0;
  /** The client's messages that the next ones of the gateway refuse. */
  readonly #refusals: { readonly n: number; readonly behind: number }[] = [];

  constructor(host: RetentionHost) {
    this.#host = host;
  }

  get isMuch(): boolean {
    return this.#messages.wholeBytes > MUCH_BYTES || this.#messages.unanswered > MUCH_MESSAGES;
  }

  /** Who has not been greeted has nothing to say but its first word. */
  isTooMuch(isGreeted: boolean): boolean {
    const { bytes, count } = this.#messages;
    if (!isGreeted && bytes > TOO_MUCH_UNGREETED) return true;
    return bytes > TOO_MUCH_BYTES || count > TOO_MUCH_MESSAGES || this.#host.retained.bytes > TOO_MUCH_IN_ALL;
  }

  keep(frames: Buffer): void {
    this.#count(() => this.#messages.keep(frames));
  }

  messageEnded(): void {
    this.#messages.end(this.#host.now());
  }

  /** What is held, in its order. */
  frames(): Iterable<Buffer> {
    return this.#messages.frames();
  }

  /** The gateway has the client's messages up to `n`. False if that cannot be. */
  acknowledged(n: number): boolean {
    let isPossible = false;
    this.#count(() => {
      isPossible = this.#messages.acknowledge(n);
    });
    return isPossible;
  }

  /** The gateway's message behind `passed` refuses the client's message `n`, and is not counted. */
  refused(n: number, passed: number): void {
    this.#refusals.push({ n, behind: passed });
  }

  /** `passed` messages of the gateway are passed on. True if it should be told soon. */
  passedOn(passed: number): boolean {
    while (this.#refusals.length > 0 && passed > this.#refusals[0]!.behind) {
      const { n } = this.#refusals.shift()!;
      this.#uncounted++;
      this.#count(() => void this.#messages.void(n, EMPTY));
    }
    return passed - this.#uncounted > this.#acknowledged;
  }

  /** What the gateway is to be told; undefined if it knows. */
  due(passed: number): number | undefined {
    const received = passed - this.#uncounted;
    if (received === this.#acknowledged) return undefined;
    this.#acknowledged = received;
    return received;
  }

  /** From here on it is held for the next gateway. */
  detached(): void {
    this.#given = this.#messages.sent;
    this.#refusals.length = 0;
  }

  /** That gateway went without a word: what it was given and has not stored may have been the cause. */
  lost(): void {
    this.#tried = this.#given;
  }

  attached(passed: number): void {
    this.#acknowledged = passed - this.#uncounted;
    this.#refusals.length = 0;
  }

  offer(passed: number): Omit<LinkOffer, "link"> {
    const stale = this.#messages.lastBefore(this.#host.now() - STALE_MS);
    return { received: passed - this.#uncounted, tried: this.#tried, stale };
  }

  drop(): void {
    this.#host.retained.bytes -= this.#messages.bytes;
  }

  #count(change: () => void): void {
    const before = this.#messages.bytes;
    change();
    this.#host.retained.bytes += this.#messages.bytes - before;
  }
}
