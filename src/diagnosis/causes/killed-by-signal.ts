import type { Cause } from "../types.ts";

export const killedBySignal: Cause = {
  id: "killed-by-signal",
  title: "A person or a program ended the gateway with a signal",
  seen: 1,
  remedies: [
    {
      text: "Start it again; what ended it, and its last words, are in its story.",
      commands: ["clawkit gateway start", "docker start {container}   # in a container", "clawkit why"],
      risk: "safe",
    },
  ],
};
