import type { Child } from "./child.ts";

/** What a child of ours may take to end after it was asked to, before a signal says so. */
const ASKED_MS = 2_000;

/**
 * Ends a child: ask (where it can be asked), SIGTERM, `graceMs` of time, SIGKILL. Resolves when it is gone.
 * On Windows a signal is always a kill: there, asking is the only gentle step.
 */
export async function terminate(child: Child, graceMs: number, ask?: () => void): Promise<void> {
  if (child.isRunning && ask !== undefined) {
    ask();
    await endsWithin(child, ASKED_MS);
  }
  if (child.isRunning) {
    child.signal("SIGTERM");
    await endsWithin(child, graceMs);
  }
  if (child.isRunning) child.signal("SIGKILL");
  await child.ended;
}

async function endsWithin(child: Child, ms: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, ms);
  await Promise.race([child.ended, timeout.promise]);
  clearTimeout(timer);
}
