import type { Cause } from "../types.ts";

export const networkDrop: Cause = {
  id: "network-drop",
  title: "A firewall, VPN or network swallows or resets the connection",
  confirmedBy: [["loopback-missing", "connect-unreachable"]],
  likelyIf: [
    ["connect-unreachable", "port-ours"],
    ["connect-unreachable", "port-family"],
    ["connect-refused", "port-ours"],
    ["connect-refused", "port-family"],
    ["connect-reset", "port-ours"],
    ["connect-reset", "port-family"],
    ["connect-unreachable"],
  ],
  ruledOutBy: ["loopback-without-ipv6", "other-family-answers", "listens-elsewhere", "tls-there"],
  seen: 2,
  remedies: [
    {
      text: "Check the path: firewall rules, VPN, interfaces. The gateway itself listens.",
      commands: ["clawkit port {port}", "curl -skv {http}/healthz"],
      risk: "safe",
    },
  ],
};
