import { withSystemd } from "./fake-systemd.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "start-limit",
  title: "systemd gave up starting the unit (as systemd would say it)",
  on: "clawkit",
  expected: ["systemd-start-limit"],
  // there is no systemd that could start anything
  isFixable: false,
  break: (lab) =>
    withSystemd(lab, { active: "failed", sub: "failed", result: "start-limit-hit", status: 1 }, "yes"),
};
