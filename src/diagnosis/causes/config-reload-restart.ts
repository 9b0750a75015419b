import type { Cause } from "../types.ts";

export const configReloadRestart: Cause = {
  id: "config-reload-restart",
  title: "A change of the config makes the gateway restart itself",
  likelyIf: [
    ["reload-restart-said"],
    ["reload-seen-said", "sigterm-said"],
    ["reload-seen-said", "restart-signal-said"],
    ["config-written-told", "restart-signal-said"],
    ["config-written-told", "crash-loop-told"],
    ["config-written-told", "restart-not-back-told"],
  ],
  possibleIf: [["config-written-told"], ["self-restart-told"], ["config-written-told", "self-restart-told"]],
  ruledOutBy: ["config-invalid-said", "systemd-inactive-said", "port-taken-said"],
  seen: 9,
  remedies: [
    {
      text: "Change the config when the gateway is idle, or let it reload without a restart.",
      commands: ["openclaw config set gateway.reload.mode off"],
      risk: "safe",
    },
  ],
};
