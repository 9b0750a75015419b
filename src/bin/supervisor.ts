import { ClawkitError, messageOf } from "../core/errors.ts";
import { isOurMessage, versioned } from "../core/messages.ts";
import { RELEASED, type StartReport } from "../supervisor/detach.ts";
import type { TakeOver } from "../supervisor/take-over.ts";
import { TAKE_OVER } from "./entries.ts";
import { runSupervisor } from "./run-supervisor.ts";

function report(message: StartReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(versioned(message), undefined, undefined, () => resolve());
    else resolve();
  });
}

/** Whoever started us has the gateway stop that has the port. */
function takeOver(): TakeOver {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  process.on("message", (message) => {
    if (isOurMessage(message) && message.type === RELEASED) resolve();
  });
  process.once("disconnect", () =>
    reject(new ClawkitError("CONTROL_FAILED", "Nothing is taken over: who wanted it is gone")),
  );
  return { onWaiting: () => void report({ type: "waiting" }), released: promise };
}

try {
  await runSupervisor({
    output: "none",
    ...(process.argv.includes(TAKE_OVER) ? { takeOver: takeOver() } : {}),
    onTakenOver: () => {
      void report({ type: "taken-over" }).then(() => {
        // the one who started us may go
        if (process.connected) process.disconnect();
      });
    },
  });
  process.exit(0);
} catch (error) {
  const code = error instanceof ClawkitError ? error.code : "CONTROL_FAILED";
  await report({ type: "failed", code, message: messageOf(error) });
  process.exit(error instanceof ClawkitError ? error.exitCode : 70);
}
