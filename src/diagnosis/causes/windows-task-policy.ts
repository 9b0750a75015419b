import type { Cause } from "../types.ts";

export const windowsTaskPolicy: Cause = {
  id: "windows-task-policy",
  title: "The policy of the Windows task ends the gateway or does not start it",
  likelyIf: [["service-policy-ends-it", "port-free"], ["task-policy-said"]],
  possibleIf: [["task-named-told"]],
  seen: 4,
  remedies: [
    {
      text: "Change the task: no time limit, on battery too, start when available.",
      commands: ['Get-ScheduledTask "OpenClaw Gateway"'],
      risk: "safe",
    },
  ],
};
