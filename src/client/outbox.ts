export type Data = string | ArrayBufferLike | ArrayBufferView | Blob;

/** What waits to be written, and what was written and is not known to have arrived. */
export class Outbox {
  #waiting: Data[] = [];
  /** Of what waits the place of the next: to shift a long list moves all of it. */
  #next = 0;
  readonly #unconfirmed: Data[] = [];
  #confirmed = 0;
  /** Of what waits. */
  waitingBytes = 0;
  /** Of all that is held. */
  bytes = 0;

  add(data: Data): void {
    this.#waiting.push(data);
    this.waitingBytes += sizeOf(data);
    this.bytes += sizeOf(data);
  }

  /** The next to write. `isCounted`: the server will confirm it, until then it is kept. */
  take(isCounted: boolean): Data | undefined {
    const data = this.#waiting[this.#next];
    if (data === undefined) {
      this.#waiting = [];
      this.#next = 0;
      return undefined;
    }
    this.#waiting[this.#next++] = "";
    this.waitingBytes -= sizeOf(data);
    this.bytes -= sizeOf(data);
    if (isCounted) this.wrote(data);
    return data;
  }

  /** It was written, and is counted. */
  wrote(data: Data): void {
    this.#unconfirmed.push(data);
    this.bytes += sizeOf(data);
  }

  /** The server has those up to `n`. */
  confirm(n: number): void {
    if (!this.canResume(n)) return;
    for (const data of this.#unconfirmed.splice(0, n - this.#confirmed)) this.bytes -= sizeOf(data);
    this.#confirmed = n;
  }

  /** Whether a server may say that it has those up to `n`: all that it confirmed, and none that we did not write. */
  canResume(n: number): boolean {
    return n >= this.#confirmed && n <= this.#confirmed + this.#unconfirmed.length;
  }

  /** The server goes on behind `n`: what it has not is written again, before what waits. */
  resume(n: number): void {
    this.confirm(n);
    for (const data of this.#unconfirmed) this.waitingBytes += sizeOf(data);
    this.#waiting = [...this.#unconfirmed.splice(0), ...this.#waiting.slice(this.#next)];
    this.#next = 0;
  }

  /** The server knows nothing of before. Returns what may have arrived, or not. */
  startOver(): Data[] {
    this.#confirmed = 0;
    for (const data of this.#unconfirmed) this.bytes -= sizeOf(data);
    return this.#unconfirmed.splice(0);
  }
}

export function sizeOf(data: Data): number {
  if (typeof data === "string") return data.length;
  return data instanceof Blob ? data.size : data.byteLength;
}

/** As WebSocket takes it: what are no bytes is text. */
export function asData(content: unknown): Data {
  const isBytes = content instanceof ArrayBuffer || ArrayBuffer.isView(content) || content instanceof Blob;
  return isBytes ? content : String(content);
}
