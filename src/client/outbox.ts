export type Data = string | ArrayBufferLike | ArrayBufferView | Blob;

/** What waits to be written, and what was written and is not known to have arrived. */
export class Outbox {
  readonly #waiting: Data[] = [];
  readonly #unconfirmed: Data[] = [];
  #confirmed = 0;
  /** Of what waits. */
  waitingBytes = 0;

  add(data: Data): void {
    this.#waiting.push(data);
    this.waitingBytes += sizeOf(data);
  }

  /** The next to write. `isCounted`: the server will confirm it, until then it is kept. */
  take(isCounted: boolean): Data | undefined {
    const data = this.#waiting.shift();
    if (data === undefined) return undefined;
    this.waitingBytes -= sizeOf(data);
    if (isCounted) this.#unconfirmed.push(data);
    return data;
  }

  /** Written past those that wait, and counted. */
  wrote(data: Data): void {
    this.#unconfirmed.push(data);
  }

  /** The server has those up to `n`. */
  confirm(n: number): void {
    this.#unconfirmed.splice(0, n - this.#confirmed);
    this.#confirmed = Math.max(this.#confirmed, n);
  }

  /** The server goes on behind `n`: what it has not is written again, before what waits. */
  resume(n: number): void {
    this.confirm(n);
    this.#waiting.unshift(...this.#unconfirmed);
    for (const data of this.#unconfirmed.splice(0)) this.waitingBytes += sizeOf(data);
  }

  /** The server knows nothing of before. Returns what may have arrived, or not. */
  startOver(): Data[] {
    this.#confirmed = 0;
    return this.#unconfirmed.splice(0);
  }
}

export function sizeOf(data: Data): number {
  if (typeof data === "string") return data.length;
  return data instanceof Blob ? data.size : data.byteLength;
}
