import { parseJson5 } from "../config/parse.ts";
import { AddressRanges, isAddressRange } from "../core/address-ranges.ts";

/** What ClawKit reads of OpenClaw's `gateway` section; values of another type count as absent. */
export interface OpenclawGateway {
  readonly mode?: string;
  readonly port?: number;
  readonly bind?: string;
  /** The address of `bind: "custom"`. */
  readonly customBindHost?: string;
  /** `serve` and `funnel` publish the gateway's own port in the tailnet, or beyond it. */
  readonly tailscaleMode?: string;
  readonly authMode?: string;
  readonly hasTls: boolean;
  readonly trustedProxies: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** `$include` brings in other files, which are not read: what is absent here may stand there. */
  readonly hasIncludes: boolean;
}

/** Throws CONFIG_UNPARSABLE. */
export function readOpenclawGateway(source: { path: string; text: string }): OpenclawGateway {
  const config = parseJson5(source);
  const gateway = objectIn(config, "gateway");
  const { port, trustedProxies } = gateway;
  const texts = {
    mode: gateway.mode,
    bind: gateway.bind,
    customBindHost: gateway.customBindHost,
    authMode: objectIn(gateway, "auth").mode,
    tailscaleMode: objectIn(gateway, "tailscale").mode,
  };
  const given = Object.entries(texts).filter(([, value]) => typeof value === "string");
  return {
    ...(typeof port === "number" ? { port } : {}),
    ...(Object.fromEntries(given) as { [name in keyof typeof texts]?: string }),
    hasTls: objectIn(gateway, "tls").enabled === true,
    trustedProxies: strings(trustedProxies),
    allowedOrigins: strings(objectIn(gateway, "controlUi").allowedOrigins),
    hasIncludes: [config, gateway, gateway.auth].some((part) => isRecord(part) && "$include" in part),
  };
}

/**
 * Whether OpenClaw reads X-Forwarded-For from an edge on 127.0.0.1, and asks the clients named there to prove
 * themselves: only then may remote clients be passed on to it. With `trusted-proxy` it believes whatever header names a
 * user, and a client may send any; a mode in another file, or in a variable, may be that, or none.
 */
export function trustsEdge({ trustedProxies, authMode, hasIncludes }: OpenclawGateway): boolean {
  const isAsked = authMode === undefined ? !hasIncludes : ["token", "password"].includes(authMode);
  return isAsked && trustedProxies.some(includesLoopback);
}

function includesLoopback(range: string): boolean {
  return isAddressRange(range) && new AddressRanges([range]).includes("127.0.0.1");
}

function objectIn(value: unknown, key: string): Record<string, unknown> {
  const inner = isRecord(value) ? value[key] : undefined;
  return isRecord(inner) ? inner : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
