import { systemErrorCode } from "../core/errors.ts";
import type { Clock, SendSignal } from "../core/ports.ts";

/** The machine's clocks. */
export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};

/** Output whose reader is gone is no reason to die: the gateway matters more than its log. */
export function surviveLostOutput(): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}

/** Ends this process once its output is written: a pipe takes 64 KiB at a time. */
export async function exitWith(code: number): Promise<never> {
  surviveLostOutput();
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  process.exit(code);
}

/** Sends a signal for real. On Windows there are no groups: the process itself is meant. */
export const sendSignal: SendSignal = (pid, signal) => {
  try {
    process.kill(process.platform === "win32" ? Math.abs(pid) : pid, signal);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
};
