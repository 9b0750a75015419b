import type { Cause } from "../types.ts";

export const handshakeTimeout: Cause = {
  id: "handshake-timeout",
  title: "The gateway closes clients that are slow to complete the handshake",
  likelyIf: [["closed-1000-said"], ["handshake-timeout-said"]],
  possibleIf: [["timeout-told"], ["handshake-named-told"], ["live-told", "stopped-answering-told"]],
  knownBad: [{ from: "2026.3.12", to: "2026.3.21", issue: "openclaw/openclaw#46923" }],
  seen: 13,
  remedies: [
    {
      text: "Upgrade to 2026.3.22 or later, or raise the limit.",
      commands: ["OPENCLAW_HANDSHAKE_TIMEOUT_MS=15000 openclaw gateway run"],
      risk: "safe",
    },
  ],
};
