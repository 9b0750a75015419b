import type { Cause } from "../types.ts";

export const endedWithoutRecord: Cause = {
  id: "ended-without-record",
  title: "The gateway ended while nobody looked: killed, or the machine lost power",
  likelyIf: [
    ["lock-left-behind", "no-gateway-process", "log-ends-mid-life"],
    ["lock-left-behind", "no-gateway-process"],
    ["no-gateway-process", "log-ends-mid-life", "port-free"],
    ["lock-left-behind", "port-foreign"],
    ["lock-left-behind", "no-gateway-process", "kernel-silent"],
    ["gateway-defunct", "no-gateway-process", "port-free"],
  ],
  because: [
    "state-not-writable",
    "config-invalid",
    "disk-full",
    "oom",
    "native-crash",
    "uncaught-exception-crash",
  ],
  ruledOutBy: ["log-says-shutdown"],
  seen: 1,
  remedies: [
    {
      text: "Start it again; what ended it, and its last words, are in its story.",
      commands: ["clawkit gateway start", "clawkit why"],
      risk: "safe",
    },
    {
      text: "With ClawKit in front the next end is recorded with its cause.",
      commands: ["clawkit gateway run"],
      risk: "safe",
    },
  ],
};
