import type { Cause } from "../types.ts";

export const brokenInstall: Cause = {
  id: "broken-install",
  title: "The installation is broken: files are missing, or its Node does not fit",
  likelyIf: [["module-missing-said"], ["node-not-supported", "port-free"]],
  possibleIf: [["updated-told"], ["modules-missing-told"]],
  ruledOutBy: ["old-process-told"],
  seen: 5,
  remedies: [
    {
      text: "Install it anew, with a Node that it runs on.",
      commands: ["node --version", "npm i -g openclaw@latest"],
      risk: "disruptive",
    },
  ],
};
