import type { Cause } from "../types.ts";

export const brokenInstall: Cause = {
  id: "broken-install",
  title: "Files of the installation are missing",
  likelyIf: [["module-missing-said"]],
  possibleIf: [["updated-told"], ["modules-missing-told"]],
  ruledOutBy: ["old-process-told"],
  seen: 5,
  remedies: [{ text: "Install it anew.", commands: ["npm i -g openclaw@latest"], risk: "disruptive" }],
};
