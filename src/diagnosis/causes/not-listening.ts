import type { Cause } from "../types.ts";
import { ends } from "./ends.ts";

export const notListening: Cause = {
  id: "not-listening",
  title: "Nothing listens where the client looked",
  likelyIf: [
    ["port-free", "connect-refused"],
    ["refused-said", "not-reachable-said"],
    ["not-reachable-said"],
    ["stack-connect-failed"],
    ["stopped-before-told"],
  ],
  possibleIf: [
    ["connect-refused"],
    ["refused-said"],
    ["abnormal-close-told"],
    ["local-close-told"],
    ["cannot-reach-told"],
  ],
  ruledOutBy: ["scope-limited-told"],
  because: [
    ...ends,
    "address-family-mismatch",
    "files-used-up",
    "network-drop",
    "no-linger",
    "planned-stop",
    "stale-lock",
    "state-not-writable",
    "sqlite-corrupt-or-locked",
    "tls-mismatch",
    "windows-task-policy",
    "log-file-too-large",
    "docker-cli-wrong-netns",
    "docker-loopback-bind",
    "gateway-starting",
    "launchagent-not-loaded",
    "restart-not-relaunched",
    "service-not-installed",
    "systemd-start-limit",
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
