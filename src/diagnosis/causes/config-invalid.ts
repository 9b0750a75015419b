import type { Cause } from "../types.ts";

export const configInvalid: Cause = {
  id: "config-invalid",
  title: "The config has a key or a value that the gateway rejects",
  confirmedBy: [
    ["own-config-broken"],
    ["openclaw-config-broken", "start-blocked-said"],
    ["config-invalid-said"],
    ["config-key-said", "config-invalid-said"],
    ["config-key-said", "crash-loop-told"],
  ],
  likelyIf: [
    ["openclaw-config-broken", "port-free"],
    ["openclaw-mode-unknown", "port-free"],
    ["config-key-said"],
    ["config-broken-told", "crash-loop-told"],
    ["config-broken-told"],
  ],
  possibleIf: [
    ["config-named-told", "crash-loop-told"],
    ["config-named-told", "gateway-died-told"],
    ["crash-loop-told"],
    ["gateway-key-told", "crash-loop-told"],
    ["updated-told", "gateway-died-told"],
  ],
  ruledOutBy: ["protocol-mismatch-said"],
  seen: 16,
  remedies: [
    {
      text: "Remove or correct the key that the message names; the last good config is kept beside it.",
      commands: ["openclaw doctor", "cp ~/.openclaw/openclaw.json.bak ~/.openclaw/openclaw.json"],
      risk: "disruptive",
    },
  ],
};
