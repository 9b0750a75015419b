/** What a client sent and the gateway has not stored yet: to be sent again to the next one. */
export class RetainedMessages {
  /** Of message `#acked + 1` and on; the last one may be unfinished. */
  readonly #messages: Retained[] = [];
  #open: Retained | undefined;
  #acked = 0;
  #sent = 0;
  #bytes = 0;
  #openBytes = 0;
  #voided = 0;

  /** Whole messages that the client sent. */
  get sent(): number {
    return this.#sent;
  }

  get acked(): number {
    return this.#acked;
  }

  /** Bytes that are held, frame headers among them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of those the bytes of messages that are whole. */
  get wholeBytes(): number {
    return this.#bytes - this.#openBytes;
  }

  /** Messages that are held. */
  get count(): number {
    return this.#sent - this.#acked;
  }

  /** Of those the ones that the gateway has still to answer. */
  get unanswered(): number {
    return this.count - this.#voided;
  }

  /** Takes whole frames of the message that is being sent. */
  keep(frames: Buffer): void {
    this.#open ??= { frames: [], at: 0, isVoid: false };
    this.#open.frames.push(frames);
    this.#bytes += frames.length;
    this.#openBytes += frames.length;
  }

  /** The message is whole. `now` is monotonic milliseconds. */
  end(now: number): void {
    this.#messages.push({ frames: this.#open?.frames ?? [], at: now, isVoid: false });
    this.#open = undefined;
    this.#openBytes = 0;
    this.#sent++;
  }

  /** The gateway has stored messages up to `n`. False if that cannot be. */
  acknowledge(n: number): boolean {
    if (n < this.#acked || n > this.#sent) return false;
    for (const { frames, isVoid } of this.#messages.splice(0, n - this.#acked)) {
      if (isVoid) this.#voided--;
      else this.#bytes -= sizeOf(frames);
    }
    this.#acked = n;
    return true;
  }

  /** The gateway answered message `n` without storing it: `empty`, which is anybody's, keeps its place. False if that cannot be. */
  void(n: number, empty: Buffer): boolean {
    const message = this.#messages[n - this.#acked - 1];
    if (message === undefined || message.isVoid) return false;
    this.#bytes -= sizeOf(message.frames);
    this.#voided++;
    message.frames = [empty];
    message.isVoid = true;
    return true;
  }

  /** All frames behind the last acknowledged message, the unfinished one's among them. */
  *frames(): Iterable<Buffer> {
    for (const { frames } of this.#messages) yield* frames;
    yield* this.#open?.frames ?? [];
  }

  /** The last message that was whole before `before`. */
  lastBefore(before: number): number {
    const younger = this.#messages.findIndex(({ at }) => at >= before);
    return this.#acked + (younger === -1 ? this.#messages.length : younger);
  }
}

interface Retained {
  frames: Buffer[];
  readonly at: number;
  isVoid: boolean;
}

function sizeOf(frames: readonly Buffer[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}
