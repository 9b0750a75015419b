import net from "node:net";
import tls from "node:tls";
import type { Target } from "../machine.ts";
import { TimeLimit } from "../time-limit.ts";

/** A server on this machine that works answers in milliseconds. */
const ANSWER_MS = 1_200;

/** Of an answer, what is read. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** The first byte of a TLS record that holds an alert (RFC 8446 §5.1): what some TLS servers answer plain HTTP. */
const TLS_ALERT = 0x15;

/** What OpenSSL says when the first bytes are no TLS record. */
const NOT_TLS = /WRONG_VERSION_NUMBER|wrong version number|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|EPROTO/i;

export type Answer =
  | { readonly kind: "status"; readonly status: number; readonly body: string }
  | {
      readonly kind:
        | "refused"
        | "reset"
        | "silent"
        | "alert"
        | "unreachable"
        | "plain"
        | "rejected"
        | "name"
        | "other";
      readonly detail: string;
    };

/** One GET by hand, of HTTP/1.0 so that no answer comes in chunks (RFC 9112 §7.1), as an HTTP client would hide which of these it was. Never rejects. */
export function get(target: Target, path: string): Promise<Answer> {
  return ask(target, `GET ${path} HTTP/1.0\r\nHost: ${authority(target)}\r\nConnection: close\r\n\r\n`);
}

/** What a gateway sends first over every WebSocket (gateway protocol v4): the name of that event. */
export const CHALLENGE = "connect.challenge";

/** Asks for a WebSocket. One that is accepted ends with the gateway's challenge, or when none came: it is closed. */
export function upgrade(target: Target, path: string): Promise<Answer> {
  const key = Buffer.from("clawkit doctor..").toString("base64"); // 16 bytes, RFC 6455 §4.1
  const head = `GET ${path} HTTP/1.1\r\nHost: ${authority(target)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  const isWholeUpgrade = (bytes: Buffer) => {
    return (
      isWhole(bytes) && (!/^HTTP\/1\.[01] 101/.test(bytes.toString("latin1")) || bytes.includes(CHALLENGE))
    );
  };
  return ask(target, `${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`, isWholeUpgrade);
}

/** Whether a TLS handshake succeeds there, with any certificate. */
export async function speaksTls(target: Target): Promise<boolean> {
  const answer = await get({ ...target, isTls: true }, "/healthz");
  return answer.kind === "status";
}

export function authority({ host, port }: Pick<Target, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function ask(target: Target, request: string, isOver = isWhole): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = target.isTls
      ? tls.connect({ host: target.host, port: target.port, rejectUnauthorized: false, ...nameOf(target) })
      : net.connect(target.port, target.host);
    let isConnected = false;
    let bytes = Buffer.alloc(0);
    const finish = (answer: Answer) => {
      limit.end();
      socket.destroy();
      resolve(answer);
    };
    const limit = new TimeLimit(ANSWER_MS, () => {
      if (bytes.length > 0) return finish(read(bytes));
      const detail = isConnected
        ? `it accepts connections and does not answer within ${ANSWER_MS} ms`
        : `no answer to a connection attempt within ${ANSWER_MS} ms`;
      finish({ kind: isConnected ? "silent" : "unreachable", detail });
    });
    socket.on("connect", () => {
      isConnected = true;
    });
    socket.on(target.isTls ? "secureConnect" : "connect", () => socket.write(request));
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isOver(bytes) || bytes.length >= MAX_ANSWER_BYTES) finish(read(bytes));
    });
    socket.on("end", () => {
      if (bytes.length > 0) return finish(read(bytes));
      finish({ kind: "reset", detail: "it accepts connections and ends them without an answer" });
    });
    socket.on("error", (error: NodeJS.ErrnoException) => finish(failure(error, isConnected)));
  });
}

function nameOf({ host }: Target): { servername?: string } {
  return net.isIP(host) === 0 ? { servername: host } : {}; // RFC 6066 §3: no addresses
}

function failure(error: NodeJS.ErrnoException, isConnected: boolean): Answer {
  const code = error.code ?? error.message;
  if (code === "ECONNREFUSED") return { kind: "refused", detail: "the connection is refused" };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_FAIL") {
    return { kind: "name", detail: `its name cannot be resolved (${code})` };
  }
  if (NOT_TLS.test(`${code} ${error.message}`)) {
    return { kind: "plain", detail: `it does not speak TLS (${code})` };
  }
  // an alert of TLS itself: it wants a certificate of ours, or another version
  if (code.startsWith("ERR_SSL")) return { kind: "rejected", detail: `its TLS refuses us (${code})` };
  if (isConnected) return { kind: "reset", detail: `it resets connections (${code})` };
  return { kind: "unreachable", detail: `the connection fails (${code})` };
}

function isWhole(bytes: Buffer): boolean {
  const text = bytes.toString("latin1");
  if (!/^HTTP\/1\.[01] \d{3}/.test(text)) return text.length >= "HTTP/1.1 200".length;
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return false;
  if (/^HTTP\/1\.[01] (101|204)/.test(text)) return true;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  return length !== undefined && bytes.length >= end + 4 + Number(length);
}

function read(bytes: Buffer): Answer {
  const text = bytes.toString();
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (status !== undefined) {
    return { kind: "status", status: Number(status), body: text.split("\r\n\r\n").slice(1).join("\r\n\r\n") };
  }
  if (bytes[0] === TLS_ALERT) return { kind: "alert", detail: "it speaks TLS, and was asked without" };
  return { kind: "other", detail: "what answers is no HTTP server" };
}
