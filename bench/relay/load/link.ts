import { connect, type Socket } from "node:net";
import { BINARY_FRAME } from "./frames.ts";
import { SendTimes } from "./send-times.ts";

export interface LinkOptions {
  readonly port: number;
  /** Bytes of one echoed frame: every frame that comes back has this size. */
  readonly echoBytes: number;
  /** Called with how many echoes a read completed. */
  readonly echoed: (link: Link, echoes: number) => void;
  /** The link ended or broke its rules: the run is worthless. */
  readonly failed: (error: Error) => void;
}

/** One WebSocket client that knows what it will get, so that reading is counting. */
export interface Link {
  readonly socket: Socket;
  /** When each message under way was (to be) sent, oldest first. */
  readonly sent: SendTimes;
}

/** The sample key of RFC 6455, 1.3, and the answer it must get. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/** One for all links: it is counted before the next read can begin. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

/** Connects and upgrades; resolves when the 101 is in. */
export function openLink(options: LinkOptions): Promise<Link> {
  return new Promise((resolve, reject) => {
    let answer: string | undefined = "";
    let left = 0; // bytes to come of the frame we are in; 0 between frames
    const fail = (error: Error) => (answer === undefined ? options.failed(error) : reject(error));

    const count = (bytes: Uint8Array, length: number): number => {
      let echoes = 0;
      for (let at = 0; at < length; ) {
        if (left === 0) {
          if (bytes[at] !== BINARY_FRAME)
            fail(new Error(`A frame began with ${bytes[at]}, not with our echo`));
          left = options.echoBytes;
        }
        const step = Math.min(left, length - at);
        at += step;
        left -= step;
        if (left === 0) echoes++;
      }
      return echoes;
    };

    const socketOnRead = (length: number, bytes: Uint8Array): boolean => {
      if (answer === undefined) {
        const echoes = count(bytes, length);
        if (echoes > 0) options.echoed(link, echoes);
        return true;
      }
      answer += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
      if (!answer.includes("\r\n\r\n")) return true;
      if (!answer.startsWith("HTTP/1.1 101 ") || !answer.includes(ACCEPT)) {
        reject(new Error(`Upgrade was answered with: ${answer.slice(0, 200)}`));
        return false;
      }
      answer = undefined;
      resolve(link);
      return true;
    };

    const socket = connect({
      host: "127.0.0.1",
      port: options.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: socketOnRead },
    });
    const link: Link = { socket, sent: new SendTimes() };
    socket.on("error", (cause) => fail(new Error(`A link failed: ${cause.message}`, { cause })));
    socket.on("end", () => fail(new Error("A link was ended by the other side")));
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    );
  });
}
