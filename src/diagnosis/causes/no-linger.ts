import type { Cause } from "../types.ts";

export const noLinger: Cause = {
  id: "no-linger",
  title: "The gateway ends with the session that started it",
  likelyIf: [
    ["service-without-linger", "service-not-running", "port-free"],
    ["no-linger-said"],
    ["session-ends-told", "gateway-died-told"],
  ],
  possibleIf: [["session-ends-told"], ["ssh-named-told", "gateway-died-told"]],
  ruledOutBy: ["systemd-bus-said"],
  seen: 4,
  remedies: [
    {
      text: "Let user services outlive the login.",
      commands: ["sudo loginctl enable-linger $USER"],
      risk: "safe",
    },
  ],
};
