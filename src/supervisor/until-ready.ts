import { ClawkitError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import type { GatewayRunner } from "./gateway-runner.ts";
import { GIVE_UP_WAITING_AFTER } from "./status.ts";

const POLL_MS = 20;

export interface ReadyDeps {
  readonly edge: EdgeRunner;
  readonly gateway: GatewayRunner;
  readonly clock: Clock;
  readonly startTimeoutSec: number;
  /** Why it can never be, if there is such a reason. */
  readonly hopeless: () => ClawkitError | undefined;
}

/** Resolves when clients are served; throws GATEWAY_REFUSED or GATEWAY_NOT_READY with the reason. */
export async function untilReady({
  edge,
  gateway,
  clock,
  startTimeoutSec,
  hopeless,
}: ReadyDeps): Promise<void> {
  const deadline = clock.now() + startTimeoutSec * 1000;
  while (!(edge.isListening && gateway.observed === "ready")) {
    const reason = hopeless();
    if (reason !== undefined) throw reason;
    const { endsInARow, lastExit } = gateway.inspect();
    const last = lastExit?.lastLine === undefined ? "" : `; its last line: ${lastExit.lastLine}`;
    if (gateway.isRefused) {
      throw new ClawkitError("GATEWAY_REFUSED", `The gateway refused to start (exit code 78)${last}`);
    }
    if (endsInARow >= GIVE_UP_WAITING_AFTER) {
      throw new ClawkitError(
        "GATEWAY_NOT_READY",
        `The gateway ended ${endsInARow} times without becoming ready: ${lastExit?.reason}${last}. It is tried again with growing delays`,
      );
    }
    if (clock.now() > deadline) {
      throw new ClawkitError(
        "GATEWAY_NOT_READY",
        `The gateway is not ready after ${startTimeoutSec} s (supervisor.startTimeoutSec)${last}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
