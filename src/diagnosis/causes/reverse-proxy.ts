import type { Cause } from "../types.ts";

export const reverseProxy: Cause = {
  id: "reverse-proxy",
  title: "A proxy between client and gateway breaks the connection",
  likelyIf: [
    ["upgrade-rejected-said", "proxy-named"],
    ["proxy-named", "closed-1001-said"],
    ["proxy-named", "direct-works-told"],
    ["proxy-named", "idle-cut-told"],
    ["upgrade-rejected-said"],
  ],
  possibleIf: [
    ["proxy-named"],
    ["proxy-named", "socket-fails-told"],
    ["upgrade-refused"],
    ["upgrade-unanswered"],
    ["clients-protocol-violation"],
  ],
  ruledOutBy: [
    "handshake-timeout-said",
    "closed-1000-said",
    "protocol-mismatch-said",
    "listening-loopback-said",
  ],
  seen: 5,
  remedies: [
    {
      text: "Pass Upgrade and Connection on, raise the proxy's idle timeout above the keepalive.",
      commands: ["proxy_set_header Upgrade $http_upgrade;", "proxy_read_timeout 3600s;"],
      risk: "safe",
    },
  ],
};
