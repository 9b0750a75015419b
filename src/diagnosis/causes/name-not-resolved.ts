import type { Cause } from "../types.ts";

export const nameNotResolved: Cause = {
  id: "name-not-resolved",
  title: "The name of the gateway's machine cannot be resolved",
  confirmedBy: [["name-unresolved"]],
  seen: 1,
  remedies: [
    {
      text: "Correct the name, or use its address; check DNS and VPN.",
      commands: ["getent hosts <name>"],
      risk: "safe",
    },
  ],
};
