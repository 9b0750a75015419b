import type { Cause } from "../types.ts";

export const staleProcessAfterUpdate: Cause = {
  id: "stale-process-after-update",
  title: "A process from before the update still runs",
  likelyIf: [["module-missing-said", "old-process-told"], ["old-process-told"]],
  possibleIf: [["modules-missing-told"], ["updated-told"]],
  seen: 2,
  remedies: [
    {
      text: "Restart the gateway after every update.",
      commands: ["openclaw gateway restart"],
      risk: "disruptive",
    },
  ],
};
