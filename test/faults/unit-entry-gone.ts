import { join } from "node:path";
import { withSystemd } from "./fake-systemd.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "unit-entry-gone",
  title: "the unit starts a Node that an upgrade has removed (as systemd would say it: 203/EXEC)",
  on: "clawkit",
  expected: ["stale-service-entrypoint"],
  isFixable: false,
  break(lab) {
    const versions = join(lab.home, ".nvm", "versions", "node");
    const entry = join(versions, "v22.12.0", "lib", "node_modules", "openclaw", "dist", "index.js");
    const command = [join(versions, "v22.12.0", "bin", "node"), entry, "gateway"];
    const unit = { active: "failed", sub: "failed", result: "exit-code", status: 203, command };
    return withSystemd(lab, unit, "yes");
  },
};
