import type { Cause } from "../types.ts";

export const serviceNotInstalled: Cause = {
  id: "service-not-installed",
  title: "The service that would start the gateway is not installed",
  likelyIf: [["task-failed-said"], ["service-not-installed-said"]],
  possibleIf: [["task-named-told"], ["task-named-told", "cannot-reach-told"]],
  ruledOutBy: ["task-handoff-said", "task-policy-said"],
  seen: 6,
  remedies: [
    {
      text: "Install it from an administrator's shell.",
      commands: ["openclaw gateway install"],
      risk: "disruptive",
    },
  ],
};
