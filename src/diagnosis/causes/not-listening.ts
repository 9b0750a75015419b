import type { Cause } from "../types.ts";

export const notListening: Cause = {
  id: "not-listening",
  title: "Nothing listens where the client looked",
  likelyIf: [["refused-said", "not-reachable-said"], ["not-reachable-said"]],
  possibleIf: [["refused-said"]],
  because: [
    "broken-install",
    "config-invalid",
    "config-refused-at-startup",
    "disk-full",
    "docker-cli-wrong-netns",
    "docker-loopback-bind",
    "gateway-starting",
    "launchagent-not-loaded",
    "native-crash",
    "oom",
    "port-conflict",
    "restart-not-relaunched",
    "service-not-installed",
    "systemd-start-limit",
    "uncaught-exception-crash",
    "wedged-process",
    "wrong-url-or-port",
  ],
  seen: 10,
  remedies: [
    {
      text: "Start it; in the foreground it says why it does not stay.",
      commands: ["openclaw gateway run"],
      risk: "safe",
    },
  ],
};
