import type { Cause } from "../types.ts";
import { ends } from "./ends.ts";

export const eventLoopBlocked: Cause = {
  id: "event-loop-blocked",
  title: "The gateway lives and its event loop is blocked",
  confirmedBy: [["process-burning", "gateway-hung"]],
  likelyIf: [
    ["process-burning", "http-silent"],
    ["http-silent", "port-family"],
    ["http-silent", "port-ours"],
    ["loop-degraded"],
    ["gateway-hung"],
    ["loop-delay-said"],
    ["loop-blocked-told"],
    ["cpu-burning", "timed-out-said"],
    ["still-alive-told", "stopped-answering-told"],
    ["still-alive-told", "health-timeout-told"],
    ["cpu-burning", "timeout-told"],
  ],
  possibleIf: [
    ["http-silent"],
    ["stopped-answering-told"],
    ["timeout-told"],
    ["slow-told"],
    ["still-alive-told", "timeout-told"],
    ["cpu-burning"],
    ["live-told", "abnormal-close-told"],
    ["abnormal-close-told"],
    ["clients-hold-ran-out"],
  ],
  ruledOutBy: ["process-stopped", "no-gateway-process"],
  because: ["sqlite-corrupt-or-locked", "files-used-up", ...ends],
  seen: 15,
  remedies: [
    {
      text: "Do not restart it while it works; find what blocks it: its logs name the reasons of the delay.",
      commands: ["curl -sk {http}/readyz", "openclaw logs"],
      risk: "safe",
    },
  ],
};
