import type { Cause } from "../types.ts";

export const moduleFailing: Cause = {
  id: "module-failing",
  title: "A module of the gateway is not there: its methods are answered with an error",
  confirmedBy: [["module-failing"]],
  seen: 0,
  remedies: [
    {
      text: "Read what it said, put its file right, and have the gateway read it again.",
      commands: ["clawkit logs --source gateway --since 1h", "clawkit gateway restart"],
      risk: "disruptive",
    },
  ],
};
