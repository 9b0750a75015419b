import type { Log, SendSignal } from "../core/ports.ts";
import { type RunRecord, type UnfinishedRun, unfinishedRuns } from "../core/run-record.ts";
import type { Host } from "../host/types.ts";

/** An edge needs this long to tell its clients; what ignores SIGTERM longer is killed. */
const GRACE_MS = 2_000;
const POLL_MS = 25;

interface LeftoverDeps {
  readonly host: Host;
  readonly sendSignal: SendSignal;
  readonly log: Log;
}

/**
 * Ends what an earlier supervisor started and could not end itself (it was killed): processes of this boot whose
 * pid and start time are those of our run log, and what carries their mark. Nothing else is ours, whatever it is
 * called.
 */
export async function endLeftovers(records: readonly RunRecord[], deps: LeftoverDeps): Promise<void> {
  const bootId = await deps.host.bootId();
  const candidates = unfinishedRuns(records, bootId).filter((run) => run.role !== "supervisor");
  await Promise.all(candidates.map((run) => endLeftover(run, deps)));
}

async function endLeftover(run: UnfinishedRun, deps: LeftoverDeps): Promise<void> {
  const { host, sendSignal, log } = deps;
  if (await isSame(run, host)) {
    log(`ending a leftover ${run.role} of an earlier run: pid ${run.pid}`);
    const target = run.ownGroup ? -run.pid : run.pid;
    sendSignal(target, "SIGTERM");
    if (!(await waitUntilGone(run, host, GRACE_MS))) sendSignal(target, "SIGKILL");
    await waitUntilGone(run, host, GRACE_MS);
  }
  if (run.mark === undefined) return;
  for (const pid of await host.marked(run.mark)) {
    log(`ending what a leftover ${run.role} had started: pid ${pid}`);
    sendSignal(pid, "SIGKILL");
  }
}

async function isSame(run: { pid: number; startTime: string }, host: Host): Promise<boolean> {
  const facts = await host.process(run.pid);
  return facts !== undefined && facts.startTime === run.startTime && facts.state !== "zombie";
}

async function waitUntilGone(
  run: { pid: number; startTime: string },
  host: Host,
  ms: number,
): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += POLL_MS) {
    if (!(await isSame(run, host))) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return !(await isSame(run, host));
}
