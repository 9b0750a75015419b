import type { Cause } from "../types.ts";

export const selfRestartByAgent: Cause = {
  id: "self-restart-by-agent",
  title: "An agent restarted the gateway that it runs in",
  likelyIf: [["agent-restarted-told"]],
  seen: 2,
  remedies: [{ text: "Restart from outside.", commands: ["clawkit gateway restart"], risk: "safe" }],
};
