import type { Cause } from "../types.ts";

export const staleServiceEntrypoint: Cause = {
  id: "stale-service-entrypoint",
  title: "The service starts what is not there any more, or another installation than the shell",
  likelyIf: [
    ["entrypoint-mismatch-said"],
    ["stale-entry-told"],
    ["service-entry-elsewhere", "port-free"],
    ["service-entry-elsewhere", "clients-protocol-mismatch"],
  ],
  possibleIf: [
    ["modules-missing-told"],
    ["version-manager-told"],
    ["installs-several"],
    ["service-entry-missing"],
    ["service-entry-elsewhere"],
  ],
  confirmedBy: [["service-entry-missing", "port-free"]],
  seen: 2,
  remedies: [
    {
      text: "Install the service again from the shell that has the right version.",
      commands: ["openclaw gateway install --force"],
      risk: "disruptive",
    },
  ],
};
