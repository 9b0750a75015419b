import type { Cause } from "../types.ts";

export const unexplainedExit: Cause = {
  id: "unexplained-exit",
  title: "The gateway exited with an error code and left no word why",
  seen: 1,
  remedies: [
    {
      text: "Start it again; what ended it, and its last words, are in its story.",
      commands: ["clawkit gateway start", "clawkit why"],
      risk: "safe",
    },
  ],
};
