import type { Cause } from "../types.ts";
import { ends } from "./ends.ts";

export const gatewayStarting: Cause = {
  id: "gateway-starting",
  title: "The gateway is still starting",
  likelyIf: [
    ["ours-starting"],
    ["starting-up"],
    ["not-ready", "healthz-ok"],
    ["gateway-young", "port-free"],
    ["container-starting", "container-nothing-listens"],
    ["closed-1013-said"],
    ["starting-said", "timed-out-said"],
    ["starting-said", "starting-told"],
    ["starting-said", "loop-blocked-told"],
    ["starting-said"],
    ["starting-told", "refused-said"],
  ],
  possibleIf: [["starting-told"], ["starting-told", "timeout-told"], ["clients-hold-ran-out"]],
  ruledOutBy: ["process-stopped", "port-taken-said", "uncaught-said", "lock-stale-told", "lock-pid-small"],
  because: ["files-used-up", "gateway-unreachable", "port-conflict", ...ends],
  knownBad: [{ from: "2026.4.24", to: "2026.4.29", issue: "openclaw/openclaw#73055" }],
  seen: 8,
  remedies: [
    {
      text: "Wait until it says ready; upgrade if it takes minutes each time.",
      commands: ["curl -sk {http}/readyz"],
      risk: "safe",
    },
  ],
};
