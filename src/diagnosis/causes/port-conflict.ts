import type { Cause } from "../types.ts";

export const portConflict: Cause = {
  id: "port-conflict",
  title: "Another process holds the gateway's port",
  confirmedBy: [
    ["port-foreign", "ours-foreign"],
    ["port-foreign", "not-http"],
    ["port-foreign", "upgrade-refused"],
    ["port-foreign", "upgrade-unlike-gateway"],
    ["port-foreign", "port-taken-said"],
  ],
  likelyIf: [
    ["port-foreign"],
    ["port-held-by-client", "port-free"],
    ["port-owner-hidden", "ours-foreign"],
    ["port-docker", "ours-foreign"],
    ["port-wsl", "ours-foreign"],
    ["gateways-several"],
    ["services-several"],
    ["port-taken-said"],
    ["lock-held-said"],
    ["port-taken-told"],
    ["two-gateways-told"],
  ],
  possibleIf: [["crash-loop-told"]],
  ruledOutBy: ["rejected-told", "lock-pid-small"],
  because: ["stale-service-entrypoint"],
  seen: 14,
  remedies: [
    {
      text: "See who holds the port; keep one launcher, and end the stale process if it is a gateway of yours.",
      commands: [
        "lsof -nP -iTCP:{port} -sTCP:LISTEN",
        "clawkit gateway status",
        "openclaw config set gateway.port {otherPort}   # or give the gateway another port",
      ],
      risk: "disruptive",
    },
  ],
};
