import type { Cause } from "../types.ts";

export const diskFull: Cause = {
  id: "disk-full",
  title: "The disk is full",
  confirmedBy: [["disk-full", "disk-full-said"], ["disk-full-said"]],
  likelyIf: [["disk-full"]],
  seen: 2,
  remedies: [{ text: "Free space.", commands: ["df -h"], risk: "destructive" }],
};
