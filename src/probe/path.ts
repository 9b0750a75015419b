import type { Socket } from "node:net";
import { messageOf } from "../core/errors.ts";
import type { IdleWay } from "./idle.ts";
import { connectThrough, openLink, upgrade, type Way } from "./open.ts";
import { type ProbeLink, toldEnd } from "./probe-link.ts";
import { type EnvProxy, envProxy } from "./proxy.ts";
import { answeredBy, answerOf, refusal } from "./refusal.ts";
import { shown } from "./shown.ts";
import { frames } from "./steps/frames.ts";
import { ping } from "./steps/ping.ts";
import { resolve } from "./steps/resolve.ts";
import { connect } from "./steps/tcp.ts";
import { secure } from "./steps/tls.ts";
import { summaryOf } from "./summary.ts";
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

/**
 * Walks the path to a gateway, layer by layer, up to the first one that fails. The way is for further connections;
 * undefined where none can be had.
 */
export async function probePath(
  target: ProbeTarget,
  options: PathOptions,
): Promise<{ report: PathReport; way: IdleWay | undefined }> {
  const { signal } = options;
  const steps: Step[] = [];
  const note = (step: Step) => {
    if (signal.aborted) return false; // it says what we did, and nothing about the path
    const clean = shown(step, target.secrets);
    steps.push(clean);
    options.onStep(clean);
    return step.verdict !== "failed";
  };
  const way = await walk(target, options, note).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return undefined;
  });
  const failed = steps.find(({ verdict }) => verdict === "failed");
  const report = {
    url: target.url,
    ok: failed === undefined && !signal.aborted,
    failedAt: failed?.id ?? null,
    summary: summaryOf(steps, signal.aborted),
    stopped: signal.aborted,
    steps,
  };
  return { report, way };
}

type Note = (step: Step) => boolean;

async function walk(target: ProbeTarget, options: PathOptions, note: Note): Promise<IdleWay | undefined> {
  const { now, signal } = options;
  const begun = await begin(target, options, note);
  if (begun === undefined) return undefined;
  let { socket } = begun;
  if (target.isTls) {
    const tls = await secure(socket, target.host, { now, signal });
    note(tls.step); // a certificate that clients refuse does not keep us from looking further
    if (tls.socket === undefined) return undefined;
    socket = tls.socket;
  }
  const link = await upgraded(socket, target, note, signal);
  if (link === undefined) return undefined;
  try {
    if (!note(await firstMessage(link, signal))) return undefined;
    const pinged = await ping(link, signal);
    if (!note(pinged.step)) return undefined;
    note(await frames(link, options));
    await goodbye(target, begun.way, note, signal);
    const open = (over: AbortSignal) => openLink(target, begun.way, over);
    return { open, isChallenged: link.isChallenged, pingMs: pinged.medianMs };
  } finally {
    link.leave();
  }
}

interface Begun {
  readonly way: Way;
  readonly socket: Socket;
}

/** The connection below TLS: straight, or through the proxy that the environment names. */
async function begin(
  target: ProbeTarget,
  { env, signal }: PathOptions,
  note: Note,
): Promise<Begun | undefined> {
  const proxy = envProxy(env, target);
  if (proxy !== undefined && "host" in proxy) {
    const { step, socket } = await throughProxy(proxy, target, signal);
    note(step);
    return socket === undefined ? undefined : { way: { address: target.host, proxy }, socket };
  }
  const { step, addresses } = await resolve(target.host, signal);
  if (!note(step)) return undefined;
  if (proxy !== undefined) {
    const detail = `${proxy.name} names a proxy of another kind (${proxy.scheme}): the probe goes straight, clients that read it do not`;
    note({ id: "proxy", verdict: "warn", ms: null, detail });
  }
  const tcp = await connect(addresses, target.port, signal);
  note(tcp.step);
  if (tcp.socket === undefined) return undefined;
  return { way: { address: tcp.address!, proxy: undefined }, socket: tcp.socket };
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
    const detail = `the proxy of ${name} does not let it pass: ${messageOf(error)}; exclude ${target.host} with NO_PROXY, or have CONNECT to port ${target.port} allowed there`;
    const ms = performance.now() - startedAt;
    return { step: { id: "proxy", verdict: "failed", ms, detail, data }, socket: undefined };
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
    const detail = `101${answeredBy(head.headers)}`;
    note({ id: "upgrade", verdict: "ok", ms, detail, data: answerOf(head) });
    return link;
  } catch (error) {
    note({ id: "upgrade", verdict: "failed", ms: performance.now() - startedAt, ...refusal(error) });
    return undefined;
  }
}

async function firstMessage(link: ProbeLink, signal: AbortSignal): Promise<Step> {
  const startedAt = performance.now();
  await link.word(FIRST_MESSAGE_MS, signal);
  const ms = performance.now() - startedAt;
  if (link.end !== undefined) {
    const detail = `the connection was ${toldEnd(link.end)}, as soon as it was open`;
    return { id: "first-message", verdict: "failed", ms, detail, data: { end: link.end } };
  }
  const isFirst = link.messages > 0;
  const detail = link.isChallenged
    ? "the gateway asks for a sign-in, as OpenClaw's does"
    : isFirst
      ? "the server spoke first"
      : "the server waits for the client to speak";
  return { id: "first-message", verdict: "ok", ms: isFirst ? ms : null, detail };
}

/** On a connection of its own: the last one may have met a limit. */
async function goodbye(target: ProbeTarget, way: Way, note: Note, signal: AbortSignal): Promise<void> {
  try {
    const link = await openLink(target, way, signal);
    const ms = await link.close(CLOSE_MS, signal);
    const detail =
      ms === undefined
        ? "our Close frame was not answered: the other side just ends, or a proxy swallows it"
        : "our Close frame was answered with one";
    note({ id: "close", verdict: ms === undefined ? "warn" : "ok", ms: ms ?? null, detail });
  } catch (error) {
    const detail = `a second connection was not let in: ${messageOf(error)}`;
    note({ id: "close", verdict: "warn", ms: null, detail });
  }
}
