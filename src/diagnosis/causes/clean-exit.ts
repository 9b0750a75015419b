import type { Cause } from "../types.ts";

export const cleanExit: Cause = {
  id: "clean-exit",
  title: "The gateway exited with code 0 without being asked",
  seen: 1,
  remedies: [
    {
      text: "Start it again; what ended it, and its last words, are in its story.",
      commands: ["clawkit gateway start", "docker start {container}   # in a container", "clawkit why"],
      risk: "safe",
    },
  ],
};
