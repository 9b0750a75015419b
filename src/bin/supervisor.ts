import { ClawkitError, messageOf } from "../core/errors.ts";
import { versioned } from "../core/messages.ts";
import type { StartReport } from "../supervisor/detach.ts";
import { runSupervisor } from "./run-supervisor.ts";

function report(message: StartReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(versioned(message), undefined, undefined, () => resolve());
    else resolve();
  });
}

try {
  await runSupervisor({
    output: "none",
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
