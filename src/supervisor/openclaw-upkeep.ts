import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { runCommand } from "../host/command.ts";
import { EXTERNAL_SUPERVISOR } from "./launch/openclaw.ts";

/** Its command line takes 2 to 10 s to start on a busy machine; its doctor waits 60 s for a gateway that is away. */
const RESTART_ASKED_MS = 60_000;
const DOCTOR_MS = 300_000;
const HANDOFF_MS = 60_000;

/** What of the command's own output is quoted. */
const MAX_SAID = 300;

/** OpenClaw's own command line, in the role of its supervisor. */
export interface Upkeep {
  readonly command: readonly string[];
  readonly log: Log;
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

/** Rejects with what it said when it fails. */
async function run(
  { command, signal }: Upkeep,
  args: readonly string[],
  timeLimitMs: number,
): Promise<string> {
  const [program, ...leading] = command;
  const said = await runCommand(program!, [...leading, ...args], {
    environment: EXTERNAL_SUPERVISOR,
    timeLimitMs,
    mustSucceed: true,
    signal,
  });
  return said ?? "";
}

/**
 * Asks the running gateway to restart by itself: it drains its work, tells its clients, and comes back in the same
 * process within seconds. False if it could not be asked, or does not want to. Never rejects.
 */
export async function askToRestart(upkeep: Upkeep): Promise<boolean> {
  const { log } = upkeep;
  try {
    const said = await run(upkeep, ["gateway", "restart", "--safe", "--json"], RESTART_ASKED_MS);
    const { ok, message } = JSON.parse(said.slice(said.indexOf("{"))) as Record<string, unknown>;
    log(`OpenClaw was asked to restart: ${String(message).slice(0, MAX_SAID)}`);
    return ok === true;
  } catch (error) {
    log(`OpenClaw cannot be asked to restart: ${messageOf(error).slice(0, MAX_SAID)}`);
    return false;
  }
}

/** After a start that it refused: lets it repair its own state, once. Never rejects. */
export async function letItRepairItself(upkeep: Upkeep): Promise<void> {
  const { log } = upkeep;
  log("OpenClaw refused to start: running its doctor --fix --yes --non-interactive");
  await run(upkeep, ["doctor", "--fix", "--yes", "--non-interactive"], DOCTOR_MS).then(
    () => log("OpenClaw's doctor is done"),
    (error) => log(`OpenClaw's doctor failed: ${messageOf(error).slice(0, MAX_SAID)}`),
  );
}

/**
 * Takes the note that a gateway which ended with 0 may have left: that it wants to be started again (restart hand-off
 * v1). It is started in any case; the note tells why it ended, and must not be left for a later life. Never rejects.
 */
export async function takeHandoff(upkeep: Upkeep, pid: number): Promise<void> {
  const { log } = upkeep;
  try {
    const args = ["gateway", "restart-handoff", "consume", "--expected-pid", String(pid), "--json"];
    const said = await run(upkeep, args, HANDOFF_MS);
    const { status, reason } = JSON.parse(said.slice(said.indexOf("{"))) as Record<string, unknown>;
    log(`restart hand-off of pid ${pid}: ${String(status)}, ${String(reason)}`.slice(0, MAX_SAID));
  } catch (error) {
    log(`restart hand-off of pid ${pid} cannot be read: ${messageOf(error).slice(0, MAX_SAID)}`);
  }
}
