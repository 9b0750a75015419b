import type { Cause } from "../types.ts";

export const protocolMismatch: Cause = {
  id: "protocol-mismatch",
  title: "Client and gateway speak different versions of the protocol",
  likelyIf: [["clients-protocol-mismatch"], ["protocol-mismatch-said"]],
  possibleIf: [["updated-told"]],
  ruledOutBy: ["port-taken-said"],
  seen: 5,
  remedies: [
    {
      text: "Use the same version on both sides; restart the gateway after an update.",
      commands: ["openclaw --version", "openclaw gateway restart"],
      risk: "disruptive",
    },
  ],
};
