import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { runCommand } from "../host/command.ts";
import { EXTERNAL_SUPERVISOR } from "./launch/openclaw.ts";

/** Its command line takes 2 to 10 s to start on a busy machine; its doctor waits 60 s for a gateway that is away. */
const RESTART_ASKED_MS = 60_000;
const DOCTOR_MS = 300_000;
const HANDOFF_MS = 60_000;

/** A restart takes seconds, and for most of them it answers nothing or 503. */
const PROBE_MS = 2_000;
const PROBE_PAUSE_MS = 100;

/** What of the command's own output is quoted. */
const MAX_SAID = 300;

/** One command of OpenClaw's own, in the role of its supervisor. Rejects with what it said when it fails. */
async function run(
  command: readonly string[],
  args: readonly string[],
  timeLimitMs: number,
): Promise<string> {
  const [program, ...leading] = command;
  const said = await runCommand(program!, [...leading, ...args], {
    environment: EXTERNAL_SUPERVISOR,
    timeLimitMs,
    mustSucceed: true,
  });
  return said ?? "";
}

export interface SafeRestart {
  /** Of the gateway itself, behind the edge. */
  readonly url: string;
  /** It may drain its work for that long, and as long again until it is back. */
  readonly timeLimitMs: number;
  readonly fetch: typeof fetch;
  readonly log: Log;
}

/**
 * Has the running gateway restart by itself: it drains its work, tells its clients, and comes back in the same process
 * within seconds. Resolves when it is back; false if it could not be asked, or did not restart in time.
 */
export async function restartSafely(command: readonly string[], options: SafeRestart): Promise<boolean> {
  const { log, timeLimitMs } = options;
  try {
    const said = await run(command, ["gateway", "restart", "--safe", "--json"], RESTART_ASKED_MS);
    const { ok, message } = JSON.parse(said.slice(said.indexOf("{"))) as Record<string, unknown>;
    log(`OpenClaw was asked to restart: ${String(message).slice(0, MAX_SAID)}`);
    if (ok !== true) return false;
  } catch (error) {
    log(`OpenClaw cannot be asked to restart: ${messageOf(error).slice(0, MAX_SAID)}`);
    return false;
  }
  return (await turns(false, timeLimitMs, options)) && (await turns(true, timeLimitMs, options));
}

/** Whether the gateway becomes ready, or no longer is, within a time. */
async function turns(isReady: boolean, withinMs: number, { url, fetch }: SafeRestart): Promise<boolean> {
  const readyz = new URL("/readyz", url.replace(/^ws/, "http"));
  const deadline = AbortSignal.timeout(withinMs);
  while (!deadline.aborted) {
    const signal = AbortSignal.timeout(PROBE_MS);
    const answer = await fetch(readyz, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    if ((answer?.status === 200) === isReady) return true;
    await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE_MS));
  }
  return false;
}

/** After a start that it refused: lets it repair its own state, once. Never rejects. */
export async function letItRepairItself(command: readonly string[], log: Log): Promise<void> {
  log("OpenClaw refused to start: running its doctor --fix --yes --non-interactive");
  await run(command, ["doctor", "--fix", "--yes", "--non-interactive"], DOCTOR_MS).then(
    () => log("OpenClaw's doctor is done"),
    (error) => log(`OpenClaw's doctor failed: ${messageOf(error).slice(0, MAX_SAID)}`),
  );
}

/**
 * Takes the note that a gateway which ended with 0 may have left: that it wants to be started again (restart hand-off
 * v1). It is started in any case; the note tells why it ended, and must not be left for a later life. Never rejects.
 */
export async function takeHandoff(command: readonly string[], pid: number, log: Log): Promise<void> {
  try {
    const args = ["gateway", "restart-handoff", "consume", "--expected-pid", String(pid), "--json"];
    const said = await run(command, args, HANDOFF_MS);
    const { status, reason } = JSON.parse(said.slice(said.indexOf("{"))) as Record<string, unknown>;
    log(`restart hand-off of pid ${pid}: ${String(status)}, ${String(reason)}`.slice(0, MAX_SAID));
  } catch (error) {
    log(`restart hand-off of pid ${pid} cannot be read: ${messageOf(error).slice(0, MAX_SAID)}`);
  }
}
