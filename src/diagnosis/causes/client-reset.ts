import type { Cause } from "../types.ts";

export const clientReset: Cause = {
  id: "client-reset",
  title: "The connections of clients are reset on the way",
  likelyIf: [["clients-client-reset"]],
  seen: 1,
  remedies: [
    {
      text: "Look for a firewall or proxy that resets idle connections.",
      commands: ["clawkit connections --closed"],
      risk: "safe",
    },
  ],
};
