import type { Cause } from "../types.ts";

export const hostSleep: Cause = {
  id: "host-sleep",
  title: "The machine slept",
  likelyIf: [
    ["host-slept", "clients-client-unreachable"],
    ["host-slept", "clients-client-reset"],
    ["timing-gap-said"],
    ["sleep-told"],
  ],
  possibleIf: [
    ["host-slept"],
    ["host-has-slept", "clients-client-unreachable"],
    ["host-has-slept", "clients-client-reset"],
    ["clock-set"],
  ],
  ruledOutBy: ["uncaught-said"],
  seen: 3,
  remedies: [{ text: "Keep the machine awake, or let clients reconnect after it.", risk: "safe" }],
};
