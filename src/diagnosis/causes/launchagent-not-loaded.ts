import type { Cause } from "../types.ts";

export const launchagentNotLoaded: Cause = {
  id: "launchagent-not-loaded",
  title: "launchd does not have the gateway's agent loaded",
  confirmedBy: [["service-not-loaded", "port-free"]],
  likelyIf: [
    ["service-not-loaded-said"],
    ["launchd-gone-said"],
    ["launchd-named-told", "restart-not-back-told"],
  ],
  possibleIf: [["launchd-named-told"]],
  ruledOutBy: ["rpc-ok-said"],
  seen: 7,
  remedies: [
    {
      text: "Load it again.",
      commands: [
        "launchctl enable gui/$(id -u)/ai.openclaw.gateway",
        "launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/ai.openclaw.gateway.plist",
      ],
      risk: "safe",
    },
  ],
};
