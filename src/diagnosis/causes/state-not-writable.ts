import type { Cause } from "../types.ts";

export const stateNotWritable: Cause = {
  id: "state-not-writable",
  title: "The folder of its state cannot be written to",
  likelyIf: [["folder-not-writable"], ["openclaw-config-unreadable"], ["folder-denied-told"]],
  seen: 1,
  remedies: [
    {
      text: "Give the folder back to its user, or make its file system writable.",
      commands: ["ls -ld ~/.openclaw ~/.clawkit"],
      risk: "disruptive",
    },
  ],
};
