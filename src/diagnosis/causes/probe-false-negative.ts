import type { Cause } from "../types.ts";

export const probeFalseNegative: Cause = {
  id: "probe-false-negative",
  title: "The probe is wrong: the gateway is fine",
  likelyIf: [["rpc-ok-said", "probe-failed-said"], ["probe-scope-said"], ["false-alarm-told", "rpc-ok-said"]],
  possibleIf: [["probe-failed-said", "live-told"], ["false-alarm-told"]],
  ruledOutBy: ["call-failed-told", "closed-1000-said", "systemd-bus-said", "service-not-loaded-said"],
  seen: 4,
  remedies: [
    {
      text: "Believe the RPC, not the probe; upgrade.",
      commands: ["openclaw gateway status --require-rpc"],
      risk: "safe",
    },
  ],
};
