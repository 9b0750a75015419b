import { withSystemd } from "./fake-systemd.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "no-linger",
  title: "the unit ended with its user's session (as systemd would say it)",
  on: "clawkit",
  expected: ["no-linger"],
  isFixable: false,
  break: (lab) => withSystemd(lab, { active: "inactive", sub: "dead", result: "success", status: 0 }, "no"),
};
