import { ClawkitError } from "../core/errors.ts";
import { ensurePrivateDir } from "../host/files.ts";
import { acquireLock } from "../supervisor/lock.ts";
import type { CliContext } from "./context.ts";

/** Adopts, or takes back, alone: a second one would take the first for one that was interrupted. */
export async function alone<T>(context: CliContext, work: () => Promise<T>): Promise<T> {
  const { paths, host, pid } = context;
  for (const folder of [paths.stateDir, paths.runDir]) await ensurePrivateDir(folder);
  const startTime = (await host.process(pid))?.startTime ?? "unknown";
  const self = { pid, startTime, bootId: await host.bootId() };
  const lock = await acquireLock(paths.adoptLock, self, host).catch((error: unknown) => {
    if (!(error instanceof ClawkitError) || error.code !== "ALREADY_RUNNING") throw error;
    throw new ClawkitError("ALREADY_RUNNING", "Cannot adopt, or undo it, as another clawkit adopt is at it", {
      cause: error,
    });
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
