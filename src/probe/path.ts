import { once } from "node:events";
import type { Socket } from "node:net";
import { messageOf } from "../core/errors.ts";
import { connectThrough, openLink, UpgradeRefused, upgrade, type Way } from "./open.ts";
import type { ProbeLink } from "./probe-link.ts";
import { type EnvProxy, envProxy } from "./proxy.ts";
import { frames } from "./steps/frames.ts";
import { ping } from "./steps/ping.ts";
import { resolve } from "./steps/resolve.ts";
import { connect } from "./steps/tcp.ts";
import { secure } from "./steps/tls.ts";
import type { ProbeTarget } from "./target.ts";
import type { PathReport, Step } from "./types.ts";

export interface PathOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Wall-clock milliseconds: certificates expire. */
  readonly now: number;
  /** Messages of up to 1 MiB are tried, too: a gateway with a smaller limit closes the probe's own connection. */
  readonly isLarge: boolean;
  readonly onStep: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** A gateway that has something to say first says it at once. */
const FIRST_MESSAGE_MS = 2_000;

const CLOSE_MS = 3_000;

/** Walks the path to a gateway, layer by layer, up to the first one that fails. The way is for further connections. */
export async function probePath(
  target: ProbeTarget,
  options: PathOptions,
): Promise<{ report: PathReport; way: Way | undefined }> {
  const steps: Step[] = [];
  const note = (step: Step) => {
    steps.push(step);
    options.onStep(step);
    return step.verdict !== "failed";
  };
  const way = await walk(target, options, note);
  const failed = steps.find(({ verdict }) => verdict === "failed");
  const report = {
    url: target.url,
    ok: failed === undefined,
    failedAt: failed?.id ?? null,
    summary: summaryOf(steps),
    steps,
  };
  return { report, way };
}

type Note = (step: Step) => boolean;

async function walk(target: ProbeTarget, options: PathOptions, note: Note): Promise<Way | undefined> {
  const { env, now, signal } = options;
  const proxy = envProxy(env, target);
  let way: Way;
  let socket: Socket;
  if (proxy === undefined) {
    const { step, addresses } = await resolve(target.host);
    if (!note(step)) return undefined;
    const tcp = await connect(addresses, target.port, signal);
    if (!note(tcp.step)) return undefined;
    way = { address: tcp.address!, proxy };
    socket = tcp.socket!;
  } else {
    const through = await throughProxy(proxy, target, signal);
    if (!note(through.step)) return undefined;
    way = { address: target.host, proxy };
    socket = through.socket!;
  }
  if (target.isTls) {
    const tls = await secure(socket, target.host, { now, signal });
    note(tls.step); // a certificate that clients refuse does not keep us from looking further
    if (tls.socket === undefined) return undefined;
    socket = tls.socket;
  }
  const link = await upgraded(socket, target, note, signal);
  if (link === undefined) return undefined;
  try {
    note(await firstMessage(link));
    const pinged = await ping(link, signal);
    if (!note(pinged.step)) return undefined;
    note(await frames(link, options));
  } finally {
    link.destroy();
  }
  await goodbye(target, way, note, signal);
  return way;
}

async function throughProxy(
  proxy: EnvProxy,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<{ step: Step; socket: Socket | undefined }> {
  const startedAt = performance.now();
  const name = `${proxy.name} (${proxy.host}:${proxy.port})`;
  const data = { variable: proxy.name, host: proxy.host, port: proxy.port };
  try {
    const socket = await connectThrough(proxy, target, signal);
    const detail = `through the proxy of ${name}, which lets it pass; who reads no proxy variables goes another way`;
    return { step: { id: "proxy", verdict: "ok", ms: performance.now() - startedAt, detail, data }, socket };
  } catch (error) {
    const detail = `the proxy of ${name} does not let it pass: ${messageOf(error)}; exclude ${target.host} with NO_PROXY, or ask for CONNECT to port ${target.port}`;
    return {
      step: { id: "proxy", verdict: "failed", ms: performance.now() - startedAt, detail, data },
      socket: undefined,
    };
  }
}

async function upgraded(
  socket: Socket,
  target: ProbeTarget,
  note: Note,
  signal: AbortSignal,
): Promise<ProbeLink | undefined> {
  const startedAt = performance.now();
  try {
    const { link, head } = await upgrade(socket, target, signal);
    const ms = performance.now() - startedAt;
    note({
      id: "upgrade",
      verdict: "ok",
      ms,
      detail: `101${answeredBy(head.headers)}`,
      data: { status: 101 },
    });
    return link;
  } catch (error) {
    const ms = performance.now() - startedAt;
    socket.destroy();
    const head = error instanceof UpgradeRefused ? error.head : undefined;
    const headers =
      head === undefined
        ? {}
        : Object.fromEntries([...head.headers].filter(([name]) => name !== "set-cookie"));
    const isTimeout = (error as Error).name === "TimeoutError" || (error as Error).name === "AbortError";
    const why = isTimeout
      ? "no answer within 15 s: the gateway hangs, or a proxy holds the request"
      : messageOf(error);
    const detail = `the upgrade to WebSocket is refused: ${why}${head === undefined ? "" : answeredBy(head.headers)}`;
    note({ id: "upgrade", verdict: "failed", ms, detail, data: { status: head?.status ?? null, headers } });
    return undefined;
  }
}

/** Headers in which servers, and proxies on the way, name themselves. */
function answeredBy(headers: ReadonlyMap<string, string>): string {
  const names = ["server", "via", "x-powered-by", "cf-ray", "x-cache"].flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [`${name}: ${value.slice(0, 60)}`];
  });
  return names.length === 0 ? "" : ` (answered by ${names.join(", ")})`;
}

async function firstMessage(link: ProbeLink): Promise<Step> {
  const startedAt = performance.now();
  if (link.messages === 0 && link.end === undefined) {
    const isOver = AbortSignal.timeout(FIRST_MESSAGE_MS);
    await Promise.race([
      once(link, "message", { signal: isOver }),
      once(link, "end", { signal: isOver }),
    ]).catch(
      () => undefined, // most servers wait for the client's first word
    );
  }
  const ms = performance.now() - startedAt;
  if (link.messages > 0) {
    return {
      id: "first-message",
      verdict: "ok",
      ms,
      detail: "the gateway spoke first, as OpenClaw's does with its challenge",
    };
  }
  if (link.end !== undefined) {
    const told =
      link.end.kind === "close"
        ? `with ${link.end.code} ${JSON.stringify(link.end.reason)}`
        : "without a word";
    return {
      id: "first-message",
      verdict: "failed",
      ms,
      detail: `the connection was ended at once ${told}`,
      data: { end: link.end },
    };
  }
  return { id: "first-message", verdict: "ok", ms: null, detail: "the server waits for the client to speak" };
}

/** On a connection of its own: the last one may have met a limit. */
async function goodbye(target: ProbeTarget, way: Way, note: Note, signal: AbortSignal): Promise<void> {
  try {
    const link = await openLink(target, way, signal);
    const ms = await link.close(CLOSE_MS);
    const detail =
      ms === undefined
        ? "our Close frame was not answered: the other side just ends, or a proxy swallows it"
        : "our Close frame was answered with one";
    note({ id: "close", verdict: ms === undefined ? "warn" : "ok", ms: ms ?? null, detail });
  } catch (error) {
    note({
      id: "close",
      verdict: "warn",
      ms: null,
      detail: `a second connection was not let in: ${messageOf(error)}`,
    });
  }
}

const LAYERS: Readonly<Record<Step["id"], string>> = {
  dns: "the name",
  proxy: "the proxy",
  tcp: "the network or the port",
  tls: "TLS",
  upgrade: "HTTP: the gateway, or a proxy in front of it",
  "first-message": "the gateway",
  ping: "the way of WebSocket frames",
  frames: "the size of packets or frames",
  close: "the goodbye",
};

function summaryOf(steps: readonly Step[]): string {
  const failed = steps.find(({ verdict }) => verdict === "failed");
  if (failed !== undefined) return `It fails at ${LAYERS[failed.id]}: ${failed.detail}`;
  const warned = steps.filter(({ verdict }) => verdict === "warn");
  if (warned.length > 0) return `The path works; look at ${warned.map(({ id }) => LAYERS[id]).join(" and ")}`;
  return "The path works, layer by layer";
}
