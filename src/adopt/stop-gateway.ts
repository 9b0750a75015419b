import { ClawkitError } from "../core/errors.ts";
import type { Machine } from "../diagnosis/machine.ts";
import type { Actions } from "../diagnosis/remedies/types.ts";
import type { ProcessFacts } from "../host/types.ts";

/** OpenClaw drains its work for up to 315 s before it ends (gateway-shutdown-budget.mjs of 2026.9.6). */
const DRAIN_MS = 330_000;
const POLL_MS = 50;

/** While it restarts in its own process it ignores SIGTERM; while it drains it ignores further ones. */
const REPEAT_MS = 2_000;

/** Has a gateway of OpenClaw end as its own `gateway stop` would, and waits until it is gone. Nothing harsher. */
export async function stopGateway(
  gateway: ProcessFacts,
  { host }: Machine,
  { signal }: Pick<Actions, "signal">,
): Promise<void> {
  for (let waited = 0; waited < DRAIN_MS; waited += POLL_MS) {
    if (waited % REPEAT_MS === 0 && !(await signal(gateway, "SIGTERM"))) return; // gone, or its pid is another's
    const now = await host.process(gateway.pid);
    const isOver = now === undefined || now.startTime !== gateway.startTime || now.state === "zombie";
    if (isOver) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new ClawkitError(
    "CONTROL_FAILED",
    `OpenClaw's gateway (pid ${gateway.pid}) was asked to stop ${DRAIN_MS / 1000} s ago and still works: try again when it is idle`,
  );
}
