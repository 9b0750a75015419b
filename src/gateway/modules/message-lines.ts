/** Cuts bytes into lines of any length up to `maxBytes`; beyond that it throws, before it has kept more. */
export class MessageLines {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (true) {
      const end = chunk.indexOf(LINE_END, start);
      const part = chunk.subarray(start, end === -1 ? undefined : end);
      this.#bytes += part.length;
      if (this.#bytes > this.#maxBytes)
        throw new RangeError(`a message of more than ${this.#maxBytes} bytes`);
      this.#parts.push(part);
      if (end === -1) return;
      const line = Buffer.concat(this.#parts).toString();
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
      this.#onLine(line);
    }
  }
}

const LINE_END = 0x0a;
