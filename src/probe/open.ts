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

/** Asks for a WebSocket. Throws UpgradeRefused, or the socket's error; the socket is gone then. */
export async function upgrade(
  socket: Socket,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<{ link: ProbeLink; head: HttpHead }> {
  try {
    const { head, rest } = await asked(socket, target, signal);
    return { link: new ProbeLink(socket, rest), head };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function asked(
  socket: Socket,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<{ head: HttpHead; rest: Buffer }> {
  const key = randomBytes(16).toString("base64");
  const isPreset = target.port === (target.isTls ? 443 : 80);
  const host = isPreset ? nameInUrl(target) : `${nameInUrl(target)}:${target.port}`;
  socket.write(
    `GET ${target.path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nUser-Agent: clawkit-probe\r\n\r\n`,
  );
  const answer = await readHead(socket, signal);
  if (answer === undefined) throw new UpgradeRefused(endedUnanswered(target), undefined);
  const head = parseHead(answer.head);
  if (head === undefined) {
    const began = JSON.stringify(answer.head.slice(0, 60));
    throw new UpgradeRefused(`what answered is no HTTP: ${began}`, undefined);
  }
  if (head.status !== 101) {
    throw new UpgradeRefused(`${head.status} ${head.reason.slice(0, 60)}`.trim(), head);
  }
  if (head.headers.get("sec-websocket-accept") !== acceptFor(key)) {
    const message = "the 101 has a wrong Sec-WebSocket-Accept: something on the way answers for itself";
    throw new UpgradeRefused(message, head);
  }
  return { head, rest: answer.rest };
}

function endedUnanswered({ isTls }: ProbeTarget): string {
  const hint = isTls ? "" : "; servers that speak TLS do so: try wss:// instead of ws://";
  return `the connection was ended without an answer${hint}`;
}

/** Asks a proxy for a way to the target. Throws what it says, or the socket's error. */
export async function connectThrough(
  proxy: EnvProxy,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await connectTcp(proxy.host, proxy.port, signal);
  try {
    const to = `${nameInUrl(target)}:${target.port}`;
    const credentials =
      proxy.authorization === undefined ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${credentials}\r\n`);
    const answer = await readHead(socket, signal);
    const head = answer === undefined ? undefined : parseHead(answer.head);
    if (answer === undefined || head === undefined) {
      throw new Error(answer === undefined ? "it ended the connection" : "its answer is no HTTP");
    }
    if (head.status !== 200) {
      throw new Error(`it answered CONNECT with ${head.status} ${head.reason.slice(0, 60)}`.trim());
    }
    if (answer.rest.length > 0) socket.unshift(answer.rest);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function nameInUrl({ host }: ProbeTarget): string {
  return host.includes(":") ? `[${host}]` : host;
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
