import type { Cause } from "../types.ts";

export const restartNotRelaunched: Cause = {
  id: "restart-not-relaunched",
  title: "The gateway ended for a restart and nobody started it again",
  likelyIf: [
    ["service-ignored-clean-exit", "port-free"],
    ["full-restart-said", "systemd-inactive-said"],
    ["full-restart-said", "exit-0-said"],
    ["full-restart-said", "restart-on-failure-said"],
    ["task-handoff-said"],
    ["restart-not-back-told", "restart-on-failure-said"],
    ["restart-not-back-told", "task-named-told"],
    ["restart-not-back-told", "exit-0-said"],
    ["restart-not-back-told"],
  ],
  possibleIf: [
    ["systemd-inactive-said"],
    ["systemd-inactive-said", "sigterm-said"],
    ["task-named-told"],
    ["restart-on-failure-said"],
    ["restart-on-failure-said", "exit-0-said"],
  ],
  ruledOutBy: ["launchd-gone-said", "service-not-loaded-said", "doctor-fix-harmed"],
  because: ["config-reload-restart"],
  seen: 7,
  remedies: [
    {
      text: "Let the service manager restart it always, not only on failure; start it once by hand.",
      commands: ["systemctl --user edit openclaw-gateway   # Restart=always", "clawkit gateway start"],
      risk: "safe",
    },
  ],
};
