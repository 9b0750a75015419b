import type { Cause } from "../types.ts";

export const filesUsedUp: Cause = {
  id: "files-used-up",
  title: "The gateway has as many files and sockets open as it may",
  confirmedBy: [
    ["files-used-up", "ours-unhealthy"],
    ["files-used-up", "not-healthy"],
    ["files-used-up", "http-silent"],
  ],
  likelyIf: [["files-used-up"]],
  seen: 1,
  remedies: [
    {
      text: "Raise the limit of open files, and restart the gateway.",
      commands: ["ulimit -n 65536"],
      risk: "disruptive",
    },
  ],
};
