import type { Cause } from "../types.ts";

export const wrongUrlOrPort: Cause = {
  id: "wrong-url-or-port",
  title: "The client looks where the gateway is not",
  confirmedBy: [["connect-refused", "configured-port-answers"]],
  likelyIf: [
    ["url-variable-elsewhere"],
    ["url-variable-broken"],
    ["url-variable-scheme"],
    ["client-url-wrong", "http-answers"],
    ["openclaw-other-port", "connect-refused"],
    ["container-published-elsewhere", "connect-refused"],
    ["listens-elsewhere", "connect-refused"],
    ["openclaw-remote", "connect-refused"],
    ["localhost-elsewhere"],
    ["name-is-loopback", "connect-refused"],
    ["other-url-told"],
    ["bound-elsewhere-told"],
    ["url-variable-said", "refused-said"],
  ],
  possibleIf: [
    ["url-variable-remote"],
    ["upgrade-unlike-gateway"],
    ["url-variable-said"],
    ["cannot-reach-told"],
    ["clients-gateway-refused-upgrade"],
  ],
  seen: 7,
  remedies: [
    {
      text: "Give the client the address that the gateway listens on.",
      commands: ["openclaw gateway status --deep"],
      risk: "safe",
    },
  ],
};
