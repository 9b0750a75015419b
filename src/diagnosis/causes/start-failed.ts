import type { Cause } from "../types.ts";

export const startFailed: Cause = {
  id: "start-failed",
  title: "The system could not start the gateway",
  likelyIf: [["processes-used-up", "no-gateway-process"]],
  possibleIf: [["processes-used-up"]],
  seen: 1,
  remedies: [
    {
      text: "Check the command of gateway.upstream: it must exist and be executable.",
      commands: ["clawkit config get gateway.upstream", "clawkit why"],
      risk: "safe",
    },
  ],
};
