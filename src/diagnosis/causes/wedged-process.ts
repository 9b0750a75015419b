import type { Cause } from "../types.ts";

export const wedgedProcess: Cause = {
  id: "wedged-process",
  title: "The process lives and will serve nobody any more",
  confirmedBy: [
    ["process-stopped", "http-silent"],
    ["process-stopped", "ours-unhealthy"],
    ["process-stopped", "ours-starting"],
    ["process-stopped", "supervisor-silent"],
  ],
  likelyIf: [["process-stopped"], ["stay-alive-said"], ["unkillable-told"], ["opening-timeout-said"]],
  possibleIf: [["supervisor-silent"], ["stopped-answering-told"], ["handshake-named-told", "timeout-told"]],
  because: ["files-used-up"],
  seen: 5,
  remedies: [{ text: "Only ending it helps.", commands: ["clawkit gateway restart"], risk: "disruptive" }],
};
