import type { Cause } from "../types.ts";

export const tlsMismatch: Cause = {
  id: "tls-mismatch",
  title: "One side speaks TLS and the other does not, or does not trust it",
  confirmedBy: [["tls-there"], ["plain-there"]],
  likelyIf: [["tls-said"], ["tls-scheme-told"], ["tls-refuses-us"]],
  possibleIf: [["tls-told"]],
  seen: 2,
  remedies: [
    {
      text: "Use wss:// for a gateway with TLS and ws:// for one without; pin or trust its certificate.",
      risk: "safe",
    },
  ],
};
