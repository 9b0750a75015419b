import type { UpgradeOptions } from "./raw.ts";

/** What names a host of this machine, in every form in which it is written. */
const LOCAL = [
  "127.0.0.1",
  "::1",
  "[::1]",
  "[::1]:18789",
  "::ffff:127.0.0.1",
  "127.0.0.1:18789",
  "localhost",
];

/** The headers in which proxies, content networks and tunnels say who their client is, and ours. */
const NAMES = [
  "X-Forwarded-For",
  "X-Real-IP",
  "X-Client-IP",
  "X-Cluster-Client-IP",
  "X-Original-Forwarded-For",
  "X-Envoy-External-Address",
  "CF-Connecting-IP",
  "CF-Connecting-IPv6",
  "True-Client-IP",
  "Fastly-Client-IP",
  "Fly-Client-IP",
  "X-Azure-ClientIP",
  "X-Remote-Addr",
  "Client-IP",
  "Remote-Addr",
];

/** How a client may try to be taken for one of this machine, by what it tries. */
export function forgeries(port: number): Record<string, UpgradeOptions> {
  const lines = (...all: string[]): UpgradeOptions => ({ lines: all });
  const of = (names: readonly string[], value: string) => names.map((name) => `${name}: ${value}`);
  return {
    "nothing at all": {},
    ...Object.fromEntries(NAMES.map((name) => [name, lines(`${name}: 127.0.0.1`)])),
    ...Object.fromEntries(
      LOCAL.map((local) => [`X-Forwarded-For: ${local}`, lines(`X-Forwarded-For: ${local}`)]),
    ),
    ...Object.fromEntries(
      LOCAL.map((local) => [`Forwarded: ${local}`, lines(`Forwarded: for="${local}";proto=https`)]),
    ),
    ...Object.fromEntries(LOCAL.map((local) => [`Host: ${local}`, { replace: { host: local } }])),
    "an empty X-Forwarded-For": lines("X-Forwarded-For:"),
    "an X-Forwarded-For of commas": lines("X-Forwarded-For: , ,"),
    "a chain that ends here": lines("X-Forwarded-For: 203.0.113.1, 127.0.0.1"),
    "a chain that begins here": lines("X-Forwarded-For: 127.0.0.1, 203.0.113.1"),
    "the header twice": lines("X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 127.0.0.1"),
    "the header in two cases": lines("x-forwarded-for: 127.0.0.1", "X-FORWARDED-FOR: ::1"),
    "the header with underscores": lines("X_Forwarded_For: 127.0.0.1", "HTTP_X_FORWARDED_FOR: 127.0.0.1"),
    "a blank before the colon": lines("X-Forwarded-For : 127.0.0.1"),
    "a header that is folded": lines("X-Note: a", " X-Forwarded-For: 127.0.0.1"),
    "our header named in Connection": {
      replace: { connection: "Upgrade, X-Forwarded-For, X-Clawkit-Edge, X-Forwarded-Proto" },
    },
    "the same, with the header": {
      replace: { connection: "Upgrade, X-Forwarded-For" },
      lines: ["X-Forwarded-For: 127.0.0.1"],
    },
    "the edge's own headers": lines(
      "X-Clawkit-Edge: what-only-the-edge-knows",
      "X-Clawkit-Link: a-link",
      "X-Clawkit-Position: 0 0 0",
      "X-Clawkit-Local: true",
      "X-Clawkit-Peer: 127.0.0.1",
    ),
    "tailscale's user": lines("Tailscale-User-Login: owner@example.com", "Tailscale-User-Name: The Owner"),
    "a proxy's user": lines(
      "X-Forwarded-User: owner",
      "X-Forwarded-Host: localhost",
      "X-Forwarded-Proto: https",
    ),
    "an origin of this machine": lines(`Origin: http://127.0.0.1:${port}`),
    "an origin called localhost": lines(`Origin: http://localhost:${port}`),
    "the origin null": lines("Origin: null"),
    "HTTP/1.0": { version: "1.0", lines: ["X-Forwarded-For: 127.0.0.1"] },
    "a URL for a path": { path: `http://127.0.0.1:${port}/` },
    "a URL with a user": { path: `http://owner@localhost:${port}/` },
    "a path of ours": { path: "/__clawkit__/links" },
    "two hosts": { lines: ["Host: localhost"] },
    "everything at once": lines(...of(NAMES, "127.0.0.1"), ...of(NAMES, "::1"), "Via: 1.1 localhost"),
  };
}
