import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { acceptFor } from "../protocol/upgrade.ts";
import { ProbeLink } from "./probe-link.ts";
import type { EnvProxy } from "./proxy.ts";
import { connectTcp, type HttpHead, parseHead, readHead, startTls } from "./sockets.ts";
import type { ProbeTarget } from "./target.ts";

/** An answer to an upgrade that is none, or wrong. */
export class UpgradeRefused extends Error {
  /** Undefined for what is no HTTP. */
  readonly head: HttpHead | undefined;

  constructor(message: string, head: HttpHead | undefined) {
    super(message);
    this.name = "UpgradeRefused";
    this.head = head;
  }
}

/** Asks for a WebSocket. Throws UpgradeRefused, or the socket's error. */
export async function upgrade(
  socket: Socket,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<{ link: ProbeLink; head: HttpHead }> {
  const key = randomBytes(16).toString("base64");
  const isPreset = target.port === (target.isTls ? 443 : 80);
  const name = target.host.includes(":") ? `[${target.host}]` : target.host;
  socket.write(
    `GET ${target.path} HTTP/1.1\r\nHost: ${name}${isPreset ? "" : `:${target.port}`}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nUser-Agent: clawkit-probe\r\n\r\n`,
  );
  const answer = await readHead(socket, signal);
  if (answer === undefined) throw new UpgradeRefused("the connection was ended without an answer", undefined);
  const head = parseHead(answer.head);
  if (head === undefined) {
    throw new UpgradeRefused(
      `what answered is no HTTP: ${JSON.stringify(answer.head.slice(0, 60))}`,
      undefined,
    );
  }
  if (head.status !== 101) throw new UpgradeRefused(`${head.status} ${head.reason}`.trim(), head);
  if (head.headers.get("sec-websocket-accept") !== acceptFor(key)) {
    throw new UpgradeRefused(
      "the 101 has a wrong Sec-WebSocket-Accept: something on the way answers for itself",
      head,
    );
  }
  return { link: new ProbeLink(socket, answer.rest), head };
}

/** Asks a proxy for a way to the target. Throws what it says, or the socket's error. */
export async function connectThrough(
  proxy: EnvProxy,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await connectTcp(proxy.host, proxy.port, signal);
  const name = target.host.includes(":") ? `[${target.host}]` : target.host;
  socket.write(`CONNECT ${name}:${target.port} HTTP/1.1\r\nHost: ${name}:${target.port}\r\n\r\n`);
  const answer = await readHead(socket, signal);
  const head = answer === undefined ? undefined : parseHead(answer.head);
  if (head?.status === 200) return socket;
  socket.destroy();
  throw new Error(
    head === undefined ? "it ended the connection" : `it answered CONNECT with ${head.status} ${head.reason}`,
  );
}

/** A way to a target: an address that answered, or the proxy. */
export interface Way {
  readonly address: string;
  readonly proxy: EnvProxy | undefined;
}

/** One more connection on a way that is known to work. Throws what went wrong. */
export async function openLink(target: ProbeTarget, way: Way, signal: AbortSignal): Promise<ProbeLink> {
  const plain =
    way.proxy === undefined
      ? await connectTcp(way.address, target.port, signal)
      : await connectThrough(way.proxy, target, signal);
  const socket = target.isTls ? await startTls(plain, target.host, signal) : plain;
  return (await upgrade(socket, target, signal)).link;
}
