import type { Cause } from "../types.ts";

export const nativeCrash: Cause = {
  id: "native-crash",
  title: "The gateway crashed outside JavaScript",
  likelyIf: [["kernel-saw-crash", "lock-left-behind"], ["exit-139-said"]],
  seen: 1,
  remedies: [
    {
      text: "Upgrade Node, and the native module that the core dump names.",
      commands: ["coredumpctl info node"],
      risk: "disruptive",
    },
  ],
};
