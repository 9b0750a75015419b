import type { Cause } from "../types.ts";

export const systemdUserBusMissing: Cause = {
  id: "systemd-user-bus-missing",
  title: "systemd's user services cannot be reached from this session",
  likelyIf: [["systemd-bus-said"]],
  possibleIf: [["ssh-named-told"]],
  seen: 6,
  remedies: [
    {
      text: "Often harmless. Log in properly (not by su), or set XDG_RUNTIME_DIR; in a container run it in the foreground.",
      commands: ["export XDG_RUNTIME_DIR=/run/user/$(id -u)"],
      risk: "safe",
    },
  ],
};
