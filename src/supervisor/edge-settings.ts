import type { Config } from "../config/schema.ts";
import type { EdgeSettings } from "../core/messages.ts";

/** What the edge needs of the config, with times in milliseconds. No secret is among it. */
export function edgeSettings(config: Config, stateDir: string): EdgeSettings {
  const { gateway, supervisor, recorder } = config;
  return {
    port: gateway.port,
    upstreamTrustsEdge: gateway.upstream.type === "builtin" || gateway.upstream.trustsEdge === true,
    keepalive: {
      enabled: gateway.keepalive.enabled,
      intervalMs: gateway.keepalive.intervalSec * 1000,
      timeoutMs: gateway.keepalive.timeoutSec * 1000,
    },
    holdMs: gateway.hold.maxSec * 1000,
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
