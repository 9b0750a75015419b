import type { Cause } from "../types.ts";

export const connectionBurst: Cause = {
  id: "connection-burst",
  title: "Too many connections at once",
  likelyIf: [["clients-burst"], ["burst-told", "abnormal-close-told"]],
  seen: 1,
  remedies: [
    {
      text: "Put an edge in front that holds what comes at once.",
      commands: ["clawkit gateway start"],
      risk: "safe",
    },
  ],
};
