import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Step } from "../types.ts";
import { wait } from "../wait.ts";

export interface Resolved {
  readonly step: Step;
  /** In the order in which they are tried. */
  readonly addresses: readonly string[];
}

/** As long as the resolver of most systems tries: two servers or attempts of 5 s each. */
const DNS_MS = 10_000;

/** A server far away answers sooner; the next attempt, or the next server, comes after seconds. */
const SLOW_MS = 1_000;

/** All addresses of a name, as the system's resolver (hosts file included) gives them, IPv4 and IPv6 apart. */
export async function resolve(host: string, signal: AbortSignal): Promise<Resolved> {
  if (isIP(host) !== 0) {
    const detail = `${host} is an address: nothing to look up`;
    return {
      step: { id: "dns", verdict: "ok", ms: null, detail, data: { addresses: [host] } },
      addresses: [host],
    };
  }
  const [v4, v6] = await Promise.all([family(host, 4, signal), family(host, 6, signal)]);
  const addresses = [...v4.addresses, ...v6.addresses];
  const data = {
    ipv4: v4.addresses,
    ipv6: v6.addresses,
    ipv4Error: v4.error ?? null,
    ipv6Error: v6.error ?? null,
  };
  const ms = Math.max(v4.ms, v6.ms);
  if (addresses.length === 0) {
    const detail = `${host} has no address (${v4.error ?? v6.error}): the name is wrong, or this machine's DNS server does not know or answer`;
    return { step: { id: "dns", verdict: "failed", ms, detail, data }, addresses };
  }
  const isSlow = ms >= SLOW_MS;
  const hint = isSlow
    ? `; it took ${(ms / 1000).toFixed(1)} s, and clients wait as long: a DNS server of this machine does not answer`
    : "";
  const detail = `${host}: ${told("IPv4", v4)}; ${told("IPv6", v6)}${hint}`;
  return { step: { id: "dns", verdict: isSlow ? "warn" : "ok", ms, detail, data }, addresses };
}

/** What a system's resolver says of a name that has no address of the kind. */
const NONE = "ENOTFOUND";

function told(kind: string, { addresses, error = NONE }: Family): string {
  if (addresses.length > 0) return `${kind} ${addresses.join(", ")}`;
  return error === NONE ? `no ${kind}` : `${kind} unknown (${error})`;
}

interface Family {
  readonly addresses: readonly string[];
  readonly ms: number;
  readonly error?: string;
}

async function family(host: string, version: 4 | 6, signal: AbortSignal): Promise<Family> {
  const startedAt = performance.now();
  const ms = () => performance.now() - startedAt;
  const answered = new AbortController();
  const over = AbortSignal.any([signal, answered.signal]);
  try {
    // a lookup cannot be called off: it is left to itself
    const found = await Promise.race([lookup(host, { family: version, all: true }), overAfter(DNS_MS, over)]);
    return { addresses: [...new Set(found.map(({ address }) => address))], ms: ms() };
  } catch (error) {
    return { addresses: [], ms: ms(), error: (error as NodeJS.ErrnoException).code ?? String(error) };
  } finally {
    answered.abort();
  }
}

async function overAfter(ms: number, signal: AbortSignal): Promise<never> {
  await wait(ms, signal);
  throw Object.assign(new Error(`no answer within ${ms / 1000} s`), { code: "ETIMEDOUT" });
}
