import type { Cause } from "../types.ts";

export const clientUnreachable: Cause = {
  id: "client-unreachable",
  title: "Clients vanish from the network: a firewall, NAT or VPN dropped their connection",
  likelyIf: [["clients-client-unreachable"]],
  seen: 1,
  remedies: [
    {
      text: "The edge pings them; shorten gateway.keepalive.intervalSec below the shortest timer on the way.",
      commands: ["clawkit config set gateway.keepalive.intervalSec 15"],
      risk: "safe",
    },
  ],
};
