import type { Config } from "../../config/schema.ts";
import type { Advice, Own } from "./types.ts";

/** OpenClaw drains for up to 315 s when it is asked to stop, and starts cold in up to 24 s (knowledge: openclaw.md). */
const OPENCLAW_HANG_SEC = 330;
const OPENCLAW_START_SEC = 300;

const OPENCLAW = /(^|[/\\])openclaw(\.cmd|\.mjs)?$/;

/** When a silent gateway is restarted: OpenClaw has work in flight that a quick restart would kill. */
export function restartAdvice({ config, set }: Own): Advice[] {
  const { hangRestartSec, startTimeoutSec } = config.supervisor;
  if (config.gateway.upstream.type === "url") return []; // it is not ours to restart
  const base = {
    id: "restart-policy",
    title: "A gateway that hangs is restarted, a busy one is not",
    reason:
      "OpenClaw may be silent for minutes over its work, and two unclean restarts in 5 min suppress its channels",
    current: `after ${hangRestartSec} s of silence, ${startTimeoutSec} s for a start`,
  };
  const values = {
    ...(hangRestartSec < OPENCLAW_HANG_SEC ? { "supervisor.hangRestartSec": `${OPENCLAW_HANG_SEC}` } : {}),
    ...(startTimeoutSec < OPENCLAW_START_SEC
      ? { "supervisor.startTimeoutSec": `${OPENCLAW_START_SEC}` }
      : {}),
  };
  if (!runsOpenClaw(config) || Object.keys(values).length === 0) return [{ ...base, state: "ok" }];
  return [{ ...base, state: "change", plan: set(values) }];
}

function runsOpenClaw({ gateway: { upstream } }: Config): boolean {
  return upstream.type === "command" && upstream.command.some((part) => OPENCLAW.test(part));
}
