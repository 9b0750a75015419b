import type { Cause } from "../types.ts";

export const doctorFixSideEffect: Cause = {
  id: "doctor-fix-side-effect",
  title: "openclaw doctor --fix changed more than it should have",
  likelyIf: [["redacted-written"], ["doctor-fix-harmed"], ["config-restored-said"]],
  ruledOutBy: ["config-invalid-said"],
  seen: 4,
  remedies: [
    {
      text: "Put the config back from the copy that was kept, and compare.",
      commands: ["ls -t ~/.openclaw/openclaw.json*"],
      risk: "disruptive",
    },
  ],
};
