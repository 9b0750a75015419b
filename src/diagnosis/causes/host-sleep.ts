import type { Cause } from "../types.ts";

export const hostSleep: Cause = {
  id: "host-sleep",
  title: "The machine slept",
  likelyIf: [["timing-gap-said"], ["sleep-told"]],
  ruledOutBy: ["uncaught-said"],
  seen: 3,
  remedies: [{ text: "Keep the machine awake, or let clients reconnect after it.", risk: "safe" }],
};
