import type { Cause } from "../types.ts";

export const uncaughtExceptionCrash: Cause = {
  id: "uncaught-exception-crash",
  title: "An exception or promise rejection that nobody caught ends the gateway",
  likelyIf: [
    ["uncaught-said"],
    ["uncaught-told", "crash-loop-told"],
    ["uncaught-told", "node-stack-said"],
    ["uncaught-told", "refused-said"],
  ],
  possibleIf: [["uncaught-told"], ["gateway-died-told"], ["crash-loop-told"]],
  knownBad: [
    { from: "2026.1.1", to: "2026.1.24-3", issue: "openclaw/openclaw#3024" },
    { from: "2026.4.24", to: "2026.4.24", issue: "openclaw/openclaw#72337" },
  ],
  seen: 21,
  remedies: [
    {
      text: "Upgrade; until then disable the channel or plugin that the stack names.",
      commands: ["openclaw config set plugins.entries.bonjour.enabled false"],
      risk: "disruptive",
    },
  ],
};
