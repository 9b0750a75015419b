import type { Cause } from "../types.ts";

export const hostRestarted: Cause = {
  id: "host-restarted",
  title: "The machine was restarted, and nothing started the gateway again",
  seen: 1,
  remedies: [
    {
      text: "Start it again; what ended it, and its last words, are in its story.",
      commands: ["clawkit gateway start", "clawkit why"],
      risk: "safe",
    },
  ],
};
