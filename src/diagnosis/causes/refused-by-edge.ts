import type { Cause } from "../types.ts";

export const refusedByEdge: Cause = {
  id: "refused-by-edge",
  title: "The edge refuses clients: origin, proxy or limits",
  likelyIf: [["clients-refused-by-edge"]],
  seen: 1,
  remedies: [
    {
      text: "The reason that it told them says which key to set.",
      commands: ["clawkit connections --closed"],
      risk: "safe",
    },
  ],
};
