import type { Config } from "../config/schema.ts";
import type { EdgeSettings } from "../core/messages.ts";

/** Its clients wait 15 s for the upgrade and the challenge: after this time the edge greets them itself. */
const OPENCLAW_HOLD_MS = 10_000;

/**
 * What the edge needs of the config, with times in milliseconds. No secret is among it. `openclawTrustsEdge` counts for
 * an OpenClaw upstream: its own config says so.
 */
export function edgeSettings(config: Config, stateDir: string, openclawTrustsEdge: boolean): EdgeSettings {
  const { gateway, supervisor, recorder } = config;
  const { upstream } = gateway;
  const holdMs = gateway.hold.maxSec * 1000;
  return {
    port: gateway.port,
    ...(upstream.type === "openclaw" ? { dialect: "openclaw" } : {}),
    upstreamTrustsEdge: upstreamTrustsEdge(config, openclawTrustsEdge),
    keepalive: {
      enabled: gateway.keepalive.enabled,
      adaptive: gateway.keepalive.adaptive,
      intervalMs: gateway.keepalive.intervalSec * 1000,
      timeoutMs: gateway.keepalive.timeoutSec * 1000,
    },
    holdMs: upstream.type === "openclaw" ? Math.min(holdMs, OPENCLAW_HOLD_MS) : holdMs,
    maxConnections: gateway.limits.maxConnections,
    unfinishedHandshakesPerAddress: gateway.limits.unfinishedHandshakesPerAddress,
    handshakeMs: gateway.limits.handshakeSec * 1000,
    allowedOrigins: gateway.allowedOrigins,
    trustedProxies: gateway.trustedProxies,
    ...(gateway.tls === undefined ? {} : { tls: gateway.tls }),
    recorder: { stateDir, maxMb: recorder.maxMb, maxDays: recorder.maxDays },
    hangRestartMs: supervisor.hangRestartSec * 1000,
    startTimeoutMs: supervisor.startTimeoutSec * 1000,
  };
}

/** Whether the gateway reads from the edge who its clients are, and asks them to prove themselves. */
export function upstreamTrustsEdge({ gateway }: Config, openclawTrustsEdge: boolean): boolean {
  const { upstream } = gateway;
  switch (upstream.type) {
    case "builtin":
      return true;
    case "openclaw":
      // its arguments count before its config
      return (
        openclawTrustsEdge && !/(^| )--auth[= ](none|trusted-proxy)\b/.test(upstream.args?.join(" ") ?? "")
      );
    default:
      return upstream.trustsEdge === true;
  }
}
