import { ClawkitError } from "../core/errors.ts";
import { describeEnd } from "../core/process-end.ts";
import type { GatewayLife } from "./gateway-life.ts";
import { isWithin } from "./within.ts";

/**
 * Resolves when the next gateway has loaded all its code. Throws if it does not, or is no longer wanted: GATEWAY_NOT_READY,
 * CONTROL_FAILED.
 */
export async function untilPrepared(next: GatewayLife, limitSec: number, signal: AbortSignal): Promise<void> {
  const { child, prepared, recorded } = next;
  const over = Promise.race([Promise.all([prepared, recorded]), child.ended]);
  const isOver = await isWithin(over, limitSec * 1000, signal);
  if (isOver && next.isRunning) return;
  if (signal.aborted) {
    child.blame("operator");
    throw new ClawkitError("CONTROL_FAILED", "Cannot restart as the gateway is being stopped");
  }
  const lastLine = child.lastLines.at(-1);
  const last = lastLine === undefined ? "" : `; its last line: ${lastLine}`;
  const why = isOver
    ? `it ended while it loaded: ${describeEnd(await child.ended)}${last}`
    : `it has not loaded within ${limitSec} s (supervisor.startTimeoutSec)${last}`;
  child.blame("supervisor", why);
  throw new ClawkitError(
    "GATEWAY_NOT_READY",
    `Cannot start the next gateway: ${why}. Nothing was stopped; clawkit logs --source gateway has what it printed`,
  );
}
