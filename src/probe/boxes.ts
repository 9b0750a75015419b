import type { IdleReport } from "./types.ts";

/** A middlebox with its preset idle limit. */
interface Box {
  readonly name: string;
  readonly sec: number;
  readonly kinds: readonly IdleReport["kind"][];
}

/** Presets that their makers document (sources: docs/network.md). */
const BOXES: readonly Box[] = [
  { name: "nginx or ingress-nginx (proxy_read_timeout)", sec: 60, kinds: ["fin"] },
  { name: "AWS Application or Classic Load Balancer", sec: 60, kinds: ["fin", "reset"] },
  {
    name: "Google Cloud HTTP(S) load balancer (timeoutSec, a limit on life)",
    sec: 30,
    kinds: ["fin", "reset"],
  },
  { name: "Cloudflare's proxy", sec: 100, kinds: ["fin", "reset", "close"] },
  { name: "Azure Load Balancer", sec: 240, kinds: ["silent-drop", "reset"] },
  { name: "Envoy (stream idle timeout)", sec: 300, kinds: ["reset", "fin"] },
  {
    name: "AWS Network Load Balancer, NAT gateway or Network Firewall",
    sec: 350,
    kinds: ["silent-drop", "reset"],
  },
  { name: "Google Cloud's VPC firewall", sec: 600, kinds: ["silent-drop"] },
  { name: "AWS API Gateway", sec: 600, kinds: ["close"] },
  {
    name: "a Cisco, Palo Alto, Fortinet or Check Point firewall",
    sec: 3_600,
    kinds: ["silent-drop", "reset"],
  },
];

/** A preset that somebody has changed by a little is not one; clocks of boxes are. */
const SHARE = 0.06;

/** What is known to have such a limit; of a short one the kind of box at least. */
export function likelyBoxes(kind: IdleReport["kind"], limitSec: number | null): string[] {
  if (limitSec === null || kind === "none") return [];
  const named = BOXES.filter(
    ({ sec, kinds }) => kinds.includes(kind) && Math.abs(sec - limitSec) <= Math.max(2, SHARE * sec),
  ).map(({ name }) => name);
  return named.length > 0 ? named : [GENERAL[kind]];
}

const GENERAL: Readonly<Record<Exclude<IdleReport["kind"], "none">, string>> = {
  "silent-drop":
    "a stateful firewall, a NAT (a home router, a mobile network) or a VPN that forgets silent connections",
  reset: "a firewall or load balancer that ends silent connections with a reset",
  fin: "a reverse proxy with a read or tunnel timeout (nginx, HAProxy)",
  close: "the gateway itself, or a proxy that speaks WebSocket: the code and reason are its own words",
};
