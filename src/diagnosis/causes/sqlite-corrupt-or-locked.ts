import type { Cause } from "../types.ts";

export const sqliteCorruptOrLocked: Cause = {
  id: "sqlite-corrupt-or-locked",
  title: "A database of the gateway is locked or broken",
  confirmedBy: [["database-broken", "database-said"]],
  likelyIf: [
    ["database-broken"],
    ["database-said"],
    ["database-told", "crash-loop-told"],
    ["database-told", "unkillable-told"],
    ["database-told", "cannot-reach-told"],
  ],
  possibleIf: [["database-told"]],
  seen: 4,
  remedies: [
    {
      text: "Wait for what holds it, or restore it from a copy.",
      commands: ["lsof ~/.openclaw/*.sqlite"],
      risk: "disruptive",
    },
  ],
};
