import type { WriteStream } from "node:tty";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command's words go. Colours and moving lines only on a terminal; `NO_COLOR` is honoured. */
export class Output {
  readonly #stdout: NodeJS.WritableStream & { isTTY?: boolean };
  readonly #stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  #progressShown = false;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  get isTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** Whether progress is a line that replaces itself. */
  get isProgressLive(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** One line of the result. */
  line(text = ""): void {
    this.#clearProgress();
    this.#stdout.write(`${text}\n`);
  }

  /** A terminal obeys the characters from 7F to 9F too, which JSON leaves as they are. */
  json(value: unknown): void {
    const escaped = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`;
    this.line(JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]/g, escaped));
  }

  /** Something that went wrong; goes to standard error. */
  error(text: string): void {
    this.#clearProgress();
    this.#stderr.write(`${styleText("red", "error:", { stream: this.#stderr as WriteStream })} ${text}\n`);
  }

  /** What is going on in a long wait: a line that replaces itself on a terminal, plain lines elsewhere. */
  progress(text: string): void {
    if (this.isProgressLive) {
      this.#clearProgress();
      // a line that wraps would not go away
      this.#stderr.write(`… ${text}`.slice(0, (this.#stderr.columns ?? 80) - 1));
      this.#progressShown = true;
    } else {
      this.#stderr.write(`${text}\n`);
    }
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stdout as WriteStream });
  }

  #clearProgress(): void {
    if (this.#progressShown) this.#stderr.write("\r\x1b[2K");
    this.#progressShown = false;
  }
}
