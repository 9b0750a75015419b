import { StringDecoder } from "node:string_decoder";

/** Characters of one line that are kept; a program that prints without line ends must not fill our memory. */
const MAX_LINE = 16 * 1024;

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split(/\r?\n/);
    this.#rest = lines.pop()!;
    for (const line of lines) this.#onLine(line.slice(0, MAX_LINE));
    if (this.#rest.length > MAX_LINE) {
      this.#onLine(this.#rest.slice(0, MAX_LINE));
      this.#rest = "";
    }
  }

  /** Hands on the last line if it had no line end. */
  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
