import type { Cause } from "../types.ts";

export const systemdStartLimit: Cause = {
  id: "systemd-start-limit",
  title: "systemd gave up starting the unit",
  confirmedBy: [["service-start-limit", "port-free"], ["systemd-start-limit-said"]],
  because: [
    "broken-install",
    "config-invalid",
    "config-refused-at-startup",
    "port-conflict",
    "stale-service-entrypoint",
  ],
  seen: 2,
  remedies: [
    {
      text: "Mend the cause, then free the limit.",
      commands: ["systemctl --user reset-failed openclaw-gateway", "systemctl --user start openclaw-gateway"],
      risk: "safe",
    },
  ],
};
