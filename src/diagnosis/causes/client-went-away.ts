import type { Cause } from "../types.ts";

export const clientWentAway: Cause = {
  id: "client-went-away",
  title: "The client left: a closed or reloaded page",
  likelyIf: [["closed-1001-said"]],
  ruledOutBy: ["proxy-named", "no-keepalive-told"],
  seen: 4,
  remedies: [{ text: "Nothing is broken.", risk: "safe" }],
};
