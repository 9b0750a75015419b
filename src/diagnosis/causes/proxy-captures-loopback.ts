import type { Cause } from "../types.ts";

export const proxyCapturesLoopback: Cause = {
  id: "proxy-captures-loopback",
  title: "A proxy setting sends the connection to 127.0.0.1 through a proxy",
  likelyIf: [
    ["proxy-without-exclusion", "proxy-in-force"],
    ["openclaw-proxy-captures"],
    ["proxy-capture-said"],
    ["proxy-loopback-told"],
  ],
  possibleIf: [
    ["proxy-without-exclusion"],
    ["service-proxy-captures"],
    ["proxy-intercepts-told"],
    ["proxy-intercepts-told", "url-variable-said"],
  ],
  seen: 2,
  remedies: [
    { text: "Exclude loopback.", commands: ["export NO_PROXY=127.0.0.1,localhost,::1"], risk: "safe" },
  ],
};
