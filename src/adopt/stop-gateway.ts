import { ClawkitError } from "../core/errors.ts";
import type { Actions } from "../diagnosis/remedies/types.ts";
import type { Host, ProcessFacts } from "../host/types.ts";

/** OpenClaw drains its work for up to 315 s before it ends (gateway-shutdown-budget.mjs of 2026.9.6). */
const DRAIN_MS = 330_000;

/** Its successor starts when it is seen to be gone. */
const POLL_MS = 20;

/** While it restarts in its own process it ignores SIGTERM; while it drains it ignores further ones. */
const REPEAT_MS = 2_000;

export interface StopDeps {
  readonly host: Host;
  readonly send: Actions["signal"];
}

/**
 * Has a gateway of OpenClaw end as its own `gateway stop` would, and waits until it is gone. Nothing harsher. Whoever
 * does not wait for it (`signal`) cannot keep it from ending.
 */
export async function stopGateway(
  gateway: ProcessFacts,
  { host, send }: StopDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let waited = 0; waited < DRAIN_MS; waited += POLL_MS) {
    if (waited % REPEAT_MS === 0 && !(await send(gateway, "SIGTERM"))) return; // gone, or its pid is another's
    if (await isGone(gateway, host)) return;
    if (signal.aborted) throw new ClawkitError("CANNOT_ADOPT", "it was interrupted");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new ClawkitError(
    "CONTROL_FAILED",
    `OpenClaw's gateway (pid ${gateway.pid}) was asked to stop ${DRAIN_MS / 1000} s ago and still works: try again when it is idle, or end it with kill -9 if it hangs`,
  );
}

/** Another process may have its pid by now. */
export async function isGone({ pid, startTime }: ProcessFacts, host: Host): Promise<boolean> {
  const now = await host.process(pid);
  return now === undefined || now.startTime !== startTime || now.state === "zombie";
}
