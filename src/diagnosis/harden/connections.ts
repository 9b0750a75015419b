import type { Advice, Own } from "./types.ts";

/** Firewalls and NATs forget idle connections after 30 to 120 s (the playbook; knowledge: network.md). */
const LONGEST_KEEPALIVE_SEC = 25;

/** Clients give up after 15 s (the reference client's handshake). */
const LONGEST_HOLD_SEC = 14;

export function keepaliveAdvice({ config, set }: Own): Advice {
  const { keepalive } = config.gateway;
  const base = {
    id: "keepalive",
    title: "Pings keep idle connections alive",
    reason: `firewalls and routers forget connections that are silent for 30 to 120 s; below ${LONGEST_KEEPALIVE_SEC} s is safe`,
  };
  if (!keepalive.enabled) {
    return { ...base, current: "off", state: "change", plan: set({ "gateway.keepalive.enabled": "true" }) };
  }
  const current = `every ${keepalive.intervalSec} s`;
  if (keepalive.intervalSec <= LONGEST_KEEPALIVE_SEC) return { ...base, current, state: "ok" };
  return { ...base, current, state: "change", plan: set({ "gateway.keepalive.intervalSec": "20" }) };
}

export function holdAdvice({ config, set }: Own): Advice {
  const { maxSec } = config.gateway.hold;
  const base = {
    id: "hold",
    title: "Clients are held while the gateway starts",
    reason: "a client that is held is served a moment later; clients themselves give up after 15 s",
    current: `${maxSec} s`,
  };
  if (maxSec >= 1 && maxSec <= LONGEST_HOLD_SEC) return { ...base, state: "ok" };
  return { ...base, state: "change", plan: set({ "gateway.hold.maxSec": "12" }) };
}
