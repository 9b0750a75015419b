import { addressIn } from "../core/address-ranges.ts";
import { endToEndHeaders, type Headers, headerValues, withoutHeaders } from "./headers.ts";

/** Headers with which a proxy says who its client is, or with which a client pretends to be behind one. */
const FORWARDING = new Set([
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "fastly-client-ip",
  "x-cluster-client-ip",
  "x-original-forwarded-for",
  "x-envoy-external-address",
  "via",
  /** Ours: how the built-in gateway knows its edge, and the edge's links. */
  "x-clawkit-edge",
  "x-clawkit-link",
  "x-clawkit-position",
]);

function isForwarding(name: string): boolean {
  return FORWARDING.has(name) || name.startsWith("x-forwarded") || name.startsWith("tailscale-");
}

export interface Peer {
  readonly address: string;
  readonly isLoopback: boolean;
  /** Listed in the edge's own `gateway.trustedProxies`. */
  readonly isTrustedProxy: boolean;
  readonly isTls: boolean;
}

export type Attribution =
  | { readonly headers: string[]; readonly clientAddress: string; readonly isLocal: boolean }
  | { readonly refusal: string };

export interface AttributionRules {
  /** Whether the gateway reads X-Forwarded-For from the edge instead of taking everyone for local. */
  readonly upstreamTrustsEdge: boolean;
  /** What a person changes so that it does; `gateway.upstream.trustsEdge` of gateways that are not known. */
  readonly trustKey?: string;
}

/**
 * Decides what the gateway is told about who its client is. A client must never be trusted more because the edge
 * stands in front: to the gateway every connection comes from loopback, so a remote client is named in
 * X-Forwarded-For, or refused when the gateway would not read that.
 *
 * The returned headers are the request's end-to-end ones, without any forwarding header of an untrusted peer, with
 * ours added.
 */
export function attribute(headers: Headers, peer: Peer, rules: AttributionRules): Attribution {
  const claimed = headers.some((name, i) => i % 2 === 0 && isForwarding(name.toLowerCase()));
  // hop-by-hop first: what `Connection` names must neither hide a claim nor remove what we add
  const own = withoutHeaders(endToEndHeaders(headers), isForwarding);

  if (peer.isTrustedProxy && claimed) {
    const chain = headerValues(headers, "x-forwarded-for")
      .flatMap((value) => value.split(","))
      .map((part) => part.trim())
      .filter((part) => part !== "");
    const named = chain.at(-1);
    if (named === undefined) {
      return { refusal: "the trusted proxy sent no X-Forwarded-For: configure it to name its client" };
    }
    if (!rules.upstreamTrustsEdge) return refuseRemote(rules);
    const client = addressIn(named);
    // what stands before the proxy's own entry is the client's to forge
    own.push("X-Forwarded-For", `${client}, ${peer.address}`);
    own.push("X-Forwarded-Proto", headerValues(headers, "x-forwarded-proto")[0] ?? "http");
    return { headers: own, clientAddress: client, isLocal: false };
  }
  if (peer.isLoopback) {
    if (claimed) {
      return {
        refusal: `proxy on ${peer.address} is not trusted: list it in gateway.trustedProxies`,
      };
    }
    return { headers: own, clientAddress: peer.address, isLocal: true };
  }
  if (!rules.upstreamTrustsEdge) return refuseRemote(rules);
  own.push("X-Forwarded-For", peer.address, "X-Forwarded-Proto", peer.isTls ? "https" : "http");
  return { headers: own, clientAddress: peer.address, isLocal: false };
}

function refuseRemote({ trustKey = "gateway.upstream.trustsEdge" }: AttributionRules): Attribution {
  return { refusal: `remote clients are refused: the gateway would take them for local (${trustKey})` };
}
