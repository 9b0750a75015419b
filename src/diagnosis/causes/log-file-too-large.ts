import type { Cause } from "../types.ts";

export const logFileTooLarge: Cause = {
  id: "log-file-too-large",
  title: "A log has grown beyond what the gateway can handle",
  likelyIf: [["log-large"], ["log-large-told"]],
  seen: 1,
  remedies: [{ text: "Move it aside.", commands: ["ls -lS ~/.openclaw/logs"], risk: "safe" }],
};
