import type { Child } from "./child.ts";

/**
 * Ends a child: SIGTERM, `graceMs` of time, SIGKILL. Resolves when it is gone.
 * On Windows a signal is always a kill: whatever should happen before that was asked over IPC.
 */
export async function terminate(child: Child, graceMs: number): Promise<void> {
  if (!child.isRunning) {
    await child.ended;
    return;
  }
  child.signal("SIGTERM");
  const timer = setTimeout(() => child.signal("SIGKILL"), graceMs);
  await child.ended;
  clearTimeout(timer);
}
