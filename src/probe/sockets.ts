import { once } from "node:events";
import net, { type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";

/** Longer than the SYN's first two retries (1 s and 3 s): a path that loses every other packet still answers. */
export const CONNECT_MS = 5_000;

/** Opens a TCP connection. Throws the system's error, or ETIMEDOUT after five seconds. */
export async function connectTcp(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = net.connect({ host: address, port, noDelay: true });
  return await settled(socket, "connect", signal);
}

/** Whose certificate it is, is looked at afterwards: a wrong one is an answer, too. */
export async function startTls(socket: Socket, host: string, signal: AbortSignal): Promise<TLSSocket> {
  const isName = net.isIP(host) === 0;
  const secured = tls.connect({
    socket,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...(isName ? { servername: host } : {}),
  });
  try {
    return await settled(secured, "secureConnect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function settled<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  // it may end between two steps, when nobody waits for it: the next one sees it
  socket.on("error", () => undefined);
  const time = AbortSignal.timeout(CONNECT_MS);
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, time]) });
    return socket;
  } catch (cause) {
    socket.destroy();
    if (!time.aborted) throw cause;
    throw timedOut(CONNECT_MS, cause);
  }
}

function timedOut(ms: number, cause?: unknown): Error {
  return Object.assign(new Error(`no answer within ${ms / 1000} s`, { cause }), { code: "ETIMEDOUT" });
}

/**
 * Reads until the head of an HTTP answer is complete. Returns it, and what came behind it; undefined if the connection
 * ended before. Throws the system's error, or ETIMEDOUT.
 */
export function readHead(
  socket: Socket,
  signal: AbortSignal,
): Promise<{ head: string; rest: Buffer } | undefined> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", signalOnAbort);
      socket.off("readable", socketOnReadable).off("end", socketOnEnd).off("close", socketOnEnd);
      settled();
    };
    const socketOnReadable = () => {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
        bytes = Buffer.concat([bytes, chunk]);
        const end = bytes.indexOf("\r\n\r\n");
        if (end !== -1) {
          const head = { head: bytes.subarray(0, end).toString("latin1"), rest: bytes.subarray(end + 4) };
          return settle(() => resolve(head));
        }
        if (bytes.length > MAX_HEAD_BYTES) {
          const error = new Error(`the answer's head has over ${MAX_HEAD_BYTES} bytes`);
          return settle(() => reject(error));
        }
      }
    };
    const socketOnEnd = () =>
      settle(() => (socket.errored === null ? resolve(undefined) : reject(socket.errored)));
    const signalOnAbort = () => settle(() => reject(signal.reason));
    const timer = setTimeout(() => settle(() => reject(timedOut(HEAD_MS))), HEAD_MS);
    if (signal.aborted) return signalOnAbort();
    if (socket.destroyed || socket.readableEnded) return socketOnEnd();
    signal.addEventListener("abort", signalOnAbort);
    socket.on("readable", socketOnReadable).on("end", socketOnEnd).on("close", socketOnEnd);
  });
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}

/** Clients of OpenClaw wait 15 s for the answer to their upgrade. */
const HEAD_MS = 15_000;

const MAX_HEAD_BYTES = 64 * 1024;

export interface HttpHead {
  readonly status: number;
  readonly reason: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Undefined for what is no HTTP answer. */
export function parseHead(head: string): HttpHead | undefined {
  const [first = "", ...lines] = head.split("\r\n");
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first);
  if (match === null) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[1]), reason: match[2]!, headers };
}
