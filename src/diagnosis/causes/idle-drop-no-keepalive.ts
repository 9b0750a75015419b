import type { Cause } from "../types.ts";

export const idleDropNoKeepalive: Cause = {
  id: "idle-drop-no-keepalive",
  title: "Idle connections are cut as nobody pings",
  likelyIf: [["no-keepalive-told"]],
  possibleIf: [["drops-told"], ["drops-told", "long-turn-told"], ["abnormal-close-told", "long-turn-told"]],
  knownBad: [{ from: "2026.1.1", to: "2026.4.30", issue: "openclaw/openclaw#76111" }],
  seen: 4,
  remedies: [
    {
      text: "Put an edge with keepalive in front, or upgrade to a version with server pings.",
      commands: ["clawkit gateway start"],
      risk: "safe",
    },
  ],
};
