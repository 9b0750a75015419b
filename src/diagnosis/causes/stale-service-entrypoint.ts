import type { Cause } from "../types.ts";

export const staleServiceEntrypoint: Cause = {
  id: "stale-service-entrypoint",
  title: "The service starts an installation that is not the one of the shell",
  likelyIf: [["entrypoint-mismatch-said"], ["stale-entry-told"], ["two-node-versions"]],
  possibleIf: [["modules-missing-told"], ["version-manager-told"], ["installs-several"]],
  seen: 2,
  remedies: [
    {
      text: "Install the service again from the shell that has the right version.",
      commands: ["openclaw gateway install --force"],
      risk: "disruptive",
    },
  ],
};
