import type { Cause } from "../types.ts";

export const plannedStop: Cause = {
  id: "planned-stop",
  title: "The gateway was stopped by its operator",
  confirmedBy: [["stopped-by-operator", "connect-refused"]],
  because: [
    "config-invalid",
    "config-refused-at-startup",
    "port-conflict",
    "disk-full",
    "state-not-writable",
  ],
  seen: 1,
  remedies: [
    {
      text: "Start it.",
      commands: ["clawkit gateway start", "docker start {container}   # in a container"],
      risk: "safe",
    },
  ],
};
