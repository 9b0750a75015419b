import type { Child } from "./child.ts";

/** What a child of ours may take to end after it was asked to, before a signal says so. */
const ASKED_MS = 2_000;

export interface Gentleness {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Asks the child, where it can be asked. */
  readonly ask?: () => void;
  /** When SIGTERM is sent again: OpenClaw ignores one that comes while it restarts in its process. */
  readonly repeatMs?: number;
}

/**
 * Ends a child: ask, SIGTERM, time, SIGKILL. Resolves when it is gone. On Windows a signal is always a kill: there,
 * asking is the only gentle step.
 */
export async function terminate(child: Child, { graceMs, ask, repeatMs }: Gentleness): Promise<void> {
  if (child.isRunning && ask !== undefined) {
    ask();
    await endsWithin(child, ASKED_MS);
  }
  if (child.isRunning) {
    child.signal("SIGTERM");
    const repeat = () => child.isRunning && child.signal("SIGTERM");
    const timer = repeatMs === undefined ? undefined : setInterval(repeat, repeatMs);
    await endsWithin(child, graceMs);
    clearInterval(timer);
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
