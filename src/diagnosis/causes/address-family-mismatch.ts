import type { Cause } from "../types.ts";

export const addressFamilyMismatch: Cause = {
  id: "address-family-mismatch",
  title: "The gateway listens on IPv4 or IPv6, and the client uses the other one",
  confirmedBy: [["connect-refused", "other-family-answers"]],
  likelyIf: [["loopback-without-ipv6", "connect-unreachable"]],
  seen: 1,
  remedies: [
    {
      text: "Use the address that answers.",
      commands: ["curl -s http://127.0.0.1:{port}/healthz", "curl -s http://[::1]:{port}/healthz"],
      risk: "safe",
    },
  ],
};
