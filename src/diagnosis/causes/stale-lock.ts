import type { Cause } from "../types.ts";

export const staleLock: Cause = {
  id: "stale-lock",
  title: "A lock of a process that is gone keeps the gateway from starting",
  confirmedBy: [["lock-of-another", "lock-held-said"]],
  likelyIf: [
    ["lock-of-another", "port-free"],
    ["lock-pid-small"],
    ["lock-stale-told"],
    ["lock-held-said", "lock-stale-told"],
  ],
  possibleIf: [["lock-held-said"], ["lock-named-told"], ["lock-named-told", "docker-said"]],
  seen: 5,
  remedies: [
    {
      text: "If the pid in the lock is not a gateway, delete the lock and start.",
      commands: ["ls -l ~/.openclaw/*.lock /tmp/openclaw*/gateway.*.lock"],
      risk: "safe",
    },
  ],
};
