import type { Cause } from "../types.ts";

export const gatewayUnreachable: Cause = {
  id: "gateway-unreachable",
  title: "The gateway does not answer where it should be",
  likelyIf: [["upstream-unreachable"]],
  seen: 1,
  remedies: [{ text: "Look at the machine it runs on.", commands: ["clawkit why"], risk: "safe" }],
};
