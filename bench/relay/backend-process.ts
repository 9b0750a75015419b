import { join } from "node:path";
import { startChild } from "../lib/child.ts";
import { freePort } from "../lib/port.ts";
import { untilUpgraded } from "../lib/ready.ts";

export interface Backend {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `backend.ts` in its own process. */
export async function startBackend(signal: AbortSignal): Promise<Backend> {
  const port = await freePort();
  const child = await startChild({
    name: "backend",
    command: process.execPath,
    args: [join(import.meta.dirname, "backend.ts")],
    env: { PORT: String(port) },
  });
  try {
    await untilUpgraded(port, child, signal);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { port, pid: child.pid, stop: child.stop };
}
