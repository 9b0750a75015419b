import type { Cause } from "../types.ts";

export const configRefusedAtStartup: Cause = {
  id: "config-refused-at-startup",
  title: "The gateway refuses to start with a config that is valid but incomplete or unsafe",
  confirmedBy: [
    ["bind-address-missing", "port-free"],
    ["start-blocked-said"],
    ["origins-required-said"],
    ["bind-refused-said"],
    ["exit-78-said"],
  ],
  likelyIf: [
    ["openclaw-mode-unset", "port-free"],
    ["openclaw-bind-unsafe", "port-free"],
    ["openclaw-address-missing", "port-free"],
    ["service-refused", "port-free"],
  ],
  possibleIf: [["crash-loop-told"], ["gateway-key-told", "crash-loop-told"]],
  ruledOutBy: ["openclaw-config-broken", "openclaw-mode-unknown"],
  because: ["doctor-fix-side-effect"],
  seen: 5,
  remedies: [
    {
      text: "Set what it asks for: gateway.mode, gateway.controlUi.allowedOrigins, or authentication.",
      commands: ["openclaw config set gateway.mode local"],
      risk: "safe",
    },
  ],
};
