import { StringDecoder } from "node:string_decoder";

/** Characters of one line that are kept; a program that prints without line ends must not fill our memory. */
const MAX_LINE = 16 * 1024;

/** Cuts a stream of bytes into lines; what a line has beyond 16 Ki characters is dropped. */
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
    // one character more than is kept, in case it is the first half of a line end
    if (this.#rest.length > MAX_LINE) this.#rest = this.#rest.slice(0, MAX_LINE + 1);
  }

  /** Hands on the last line if it had no line end. */
  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest.slice(0, MAX_LINE));
    this.#rest = "";
  }
}
