import { randomBytes } from "node:crypto";
import net from "node:net";
import { encodeFrame, OPCODE } from "../../src/protocol/frames.ts";
import { Changes } from "./changes.ts";
import { parseAnswer, parseFrames, type RawFrame, upgradeHead } from "./raw.ts";

/** A WebSocket client that reads 256 KB/s and no more, until it is told to hurry. It answers pings when it reads them. */
export class SlowClient implements Disposable {
  static readonly #BYTES_PER_MS = 256;

  /** Payload of the data frames read so far. */
  bytes = 0;
  /** Its close frame's code, or 1006 for an end without one. */
  closed: number | undefined;

  readonly #socket: net.Socket;
  readonly #changes = new Changes(() => `${this.bytes} bytes, closed: ${this.closed}`);
  #unread = Buffer.alloc(0);
  #isUpgraded = false;
  #isSlow = true;

  constructor(port: number, path = "/") {
    this.#socket = net.connect(port, "127.0.0.1");
    this.#socket.write(upgradeHead({ path }));
    this.#socket.on("error", () => undefined);
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.on("close", () => {
      this.closed ??= 1006;
      this.#changes.over();
    });
  }

  send(text: string): void {
    this.#socket.write(encodeFrame(OPCODE.text, Buffer.from(text), randomBytes(4)));
  }

  hurry(): void {
    this.#isSlow = false;
    this.#socket.resume();
  }

  /** Resolves once so many bytes of messages are read; rejects if the connection ends before. */
  async until(bytes: number): Promise<void> {
    await this.#changes.when(() => (this.bytes >= bytes ? true : undefined));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#isSlow) {
      this.#socket.pause();
      setTimeout(() => this.#socket.resume(), chunk.length / SlowClient.#BYTES_PER_MS);
    }
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#isUpgraded) {
      const answer = parseAnswer(this.#unread);
      if (answer === undefined) return;
      this.#isUpgraded = true;
      this.#unread = Buffer.from(answer.rest);
    }
    const { frames, rest } = parseFrames(this.#unread);
    this.#unread = Buffer.from(rest);
    for (const frame of frames) this.#onFrame(frame);
    this.#changes.changed();
  }

  #onFrame({ firstByte, payload }: RawFrame): void {
    const opcode = firstByte & 0x0f;
    if (opcode === OPCODE.ping) this.#socket.write(encodeFrame(OPCODE.pong, payload, randomBytes(4)));
    else if (opcode === OPCODE.close) this.closed = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    else if (opcode <= OPCODE.binary) this.bytes += payload.length;
  }
}
