import { type ProbeLink, toldEnd } from "../probe-link.ts";
import type { Step } from "../types.ts";
import { wait } from "../wait.ts";

const PINGS = 10;
const PAUSE_MS = 100;

/** A round trip around the world takes 0.3 s; with two retransmissions this much. */
const PONG_MS = 3_000;

/** Round trips of WebSocket pings: through everything, to whoever speaks WebSocket. */
export async function ping(link: ProbeLink, signal: AbortSignal): Promise<{ step: Step; medianMs: number }> {
  const times: number[] = [];
  let sent = 0;
  for (; sent < PINGS && link.end === undefined && !signal.aborted; sent++) {
    const startedAt = performance.now();
    const payload = `p${sent}`;
    link.ping(payload);
    if (await link.pong(payload, PONG_MS, signal)) times.push(performance.now() - startedAt);
    else if (times.length === 0) {
      sent++;
      break; // a server that answers none will not answer the others
    }
    await wait(PAUSE_MS, signal);
  }
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const medianMs = at(0.5);
  const lost = sent - times.length;
  const data = { sent, lost, minMs: at(0), medianMs, p99Ms: at(0.99) };
  if (times.length === 0) {
    const detail =
      link.end === undefined
        ? "the upgrade was answered, and no ping is: something on the way takes frames and passes none on, or the gateway hangs"
        : `at the first ping the connection was ${toldEnd(link.end)}`;
    return { step: { id: "ping", verdict: "failed", ms: null, detail, data }, medianMs: 0 };
  }
  const detail = `round trips ${fixed(at(0))} / ${fixed(medianMs)} / ${fixed(at(0.99))} ms (least, median, p99), ${lost} of ${sent} lost`;
  return { step: { id: "ping", verdict: lost > 0 ? "warn" : "ok", ms: medianMs, detail, data }, medianMs };
}

function fixed(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}
