import net from "node:net";
import tls from "node:tls";

/** The key of RFC 6455 §1.3, and what answers it. */
export const SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** Waiting longer than this for bytes or for an end means that they will not come. */
const PATIENCE_MS = 10_000;

/** How a connection ended for the one who looks at its packets. */
export type RawEnd = "fin" | "reset";

export interface RawFrame {
  /** FIN, RSV bits and opcode as they stand in the first byte. */
  readonly firstByte: number;
  readonly isMasked: boolean;
  readonly payload: Buffer;
}

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; the first of each. */
  readonly headers: ReadonlyMap<string, string>;
  /** All that came behind the head. */
  readonly rest: Buffer;
}

/** A TCP client that sends the very bytes it is told to and keeps all it gets. Declared with `using`, it never outlives its test. */
export class RawClient implements Disposable {
  readonly socket: net.Socket;
  /** Resolves when the connection is over in both directions. */
  readonly ended: Promise<RawEnd>;
  #received: Buffer[] = [];
  #waiting: (() => void)[] = [];
  #isOver = false;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    let end: RawEnd = "fin";
    socket.on("error", () => {
      end = "reset";
    });
    socket.on("data", (chunk) => {
      this.#received.push(chunk);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isOver = true;
        this.#wake();
        resolve(end);
      });
    });
  }

  static async connect(
    port: number,
    options: { host?: string; from?: string; tls?: boolean } = {},
  ): Promise<RawClient> {
    const { host = "127.0.0.1", from } = options;
    const address = { port, host, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) };
    const socket = options.tls
      ? tls.connect({ ...address, rejectUnauthorized: false })
      : net.connect(address);
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(options.tls ? "secureConnect" : "connect", resolve);
      socket.once("close", () => reject(new Error(`no connection to ${host}:${port}`)));
    });
    return client;
  }

  /** Connects and completes a WebSocket handshake; what comes behind the 101 is left to `frames`. */
  static async upgrade(port: number, options: UpgradeOptions = {}): Promise<RawClient> {
    const client = await RawClient.connect(port);
    client.send(upgradeHead(options));
    const { status } = await client.answer();
    if (status === 101) return client;
    client.socket.destroy();
    throw new Error(`upgrade was answered ${status}: ${client.text}`);
  }

  get received(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Waits until `look` finds something in what was received; throws if the connection ends before. */
  until<T>(look: (received: Buffer) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => give(new Error(`nothing more came: ${this.#shown()}`)), PATIENCE_MS);
      const give = (result: T | Error) => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((other) => other !== check);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const check = () => {
        const found = look(this.received);
        if (found !== undefined) give(found);
        else if (this.#isOver) give(new Error(`the connection ended too early: ${this.#shown()}`));
      };
      this.#waiting.push(check);
      check();
    });
  }

  /** The first HTTP answer, as soon as its head is complete. */
  answer(): Promise<RawAnswer> {
    return this.until(parseAnswer);
  }

  /** The answer of a server that closes behind it, with everything that came on this connection. */
  async lastAnswer(): Promise<RawAnswer & { readonly end: RawEnd }> {
    const end = await this.over();
    const answer = parseAnswer(this.received);
    if (answer === undefined) throw new Error(`ended (${end}) without an answer: ${this.#shown()}`);
    return { ...answer, end };
  }

  /** The complete frames behind the upgrade's head so far. */
  frames(): RawFrame[] {
    const answer = parseAnswer(this.received);
    return answer === undefined ? [] : parseFrames(answer.rest).frames;
  }

  /** The next frame that `wanted` accepts. */
  frame(wanted: (frame: RawFrame) => boolean): Promise<RawFrame> {
    return this.until(() => this.frames().find(wanted));
  }

  /** The server's Close frame. */
  async close(): Promise<{ code: number; reason: string }> {
    const { payload } = await this.frame(({ firstByte }) => firstByte === 0x88);
    return { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
  }

  /** How the connection ended; throws if it does not. */
  async over(): Promise<RawEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still connected: ${this.#shown()}`)), PATIENCE_MS);
    });
    return await Promise.race([this.ended, late]).finally(() => clearTimeout(timer));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }

  #shown(): string {
    return JSON.stringify(this.text.slice(0, 400));
  }
}

export interface UpgradeOptions {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  /** Replaces or, with undefined, removes one of the usual headers (lower-case names). */
  readonly replace?: Readonly<Record<string, string | undefined>>;
  /** Header lines put behind the usual ones, as they are. */
  readonly lines?: readonly string[];
}

/** The head of a client's opening handshake. */
export function upgradeHead(options: UpgradeOptions = {}): string {
  const headers: Record<string, string | undefined> = {
    host: "gateway.test",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": SAMPLE_KEY,
    ...options.replace,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const first = `${options.method ?? "GET"} ${options.path ?? "/"} HTTP/${options.version ?? "1.1"}`;
  return [first, ...lines, ...(options.lines ?? []), "", ""].join("\r\n");
}

/** Bytes from hex, in which blanks may stand. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

export function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return { status: Number(first!.split(" ")[1]), headers, rest: bytes.subarray(end + 4) };
}

/** Frames as they stand on the wire, unmasked; `rest` is the beginning of an incomplete one. */
export function parseFrames(bytes: Buffer): { frames: RawFrame[]; rest: Buffer } {
  const frames: RawFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const second = bytes[at + 1]!;
    const short = second & 0x7f;
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const maskBytes = (second & 0x80) === 0 ? 0 : 4;
    const head = 2 + lengthBytes + maskBytes;
    if (bytes.length - at < head) break;
    const length =
      lengthBytes === 0
        ? short
        : lengthBytes === 2
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length - at < head + length) break;
    const payload = Buffer.from(bytes.subarray(at + head, at + head + length));
    if (maskBytes > 0) {
      const mask = bytes.subarray(at + head - 4, at + head);
      for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i & 3]!;
    }
    frames.push({ firstByte: bytes[at]!, isMasked: maskBytes > 0, payload });
    at += head + length;
  }
  return { frames, rest: bytes.subarray(at) };
}
