import { consoleUrl, type OverallState, type Status } from "../../core/control.ts";
import { ClawkitError } from "../../core/errors.ts";
import type { RunEvent } from "../../core/run-events.ts";
import { VERSION } from "../../core/version.ts";
import { refuseNewerStore } from "../../recorder/read-store.ts";
import type { HandOver } from "../../supervisor/detach.ts";
import { ensureConfig } from "../config-file.ts";
import type { CliContext } from "../context.ts";
import { callControl } from "../control-client.ts";
import { renderStatus, type ServiceStatus } from "../output/status.ts";
import { currentStatus, readConfig } from "../running.ts";
import { driveService, installedService, isKept, serviceFacts } from "../service.ts";

export interface GatewayOptions {
  readonly json?: boolean;
  readonly all?: boolean;
}

/** `status` exits with these, so that scripts can tell. */
const STATUS_EXIT: Readonly<Record<OverallState, number>> = {
  healthy: 0,
  starting: 1,
  unhealthy: 1,
  stopping: 1,
  stopped: 3,
  foreign: 4,
};

const POLL_MS = 50;

/** How long `stop` waits for processes to be gone, after the supervisor said it is done. */
const GONE_MS = 10_000;

/** How long a supervisor that was just started may take to answer: it ends leftovers first. */
const ANSWER_MS = 20_000;

/** The longest stop that a config can ask for: grace and drain are ten minutes each at most. */
const STOP_MS = 1_300_000;

export async function gatewayRun(context: CliContext, options: GatewayOptions = {}): Promise<number> {
  if (options.json) return await runWithEvents(context);
  const { isNew } = await ensureConfig(context.paths);
  if (isNew) context.out.line(`clients need the token that was made just now: see ${context.paths.config}`);
  return await context.runSupervisor("lines");
}

/** Every line of its output is an event: the one that tells a failure, too. */
async function runWithEvents(context: CliContext): Promise<number> {
  try {
    await ensureConfig(context.paths);
    return await context.runSupervisor("events");
  } catch (error) {
    if (!(error instanceof ClawkitError)) throw error;
    const { code, message, exitCode } = error;
    const time = new Date(context.clock.wall()).toISOString();
    const failed: RunEvent = { event: "failed", code, message };
    context.out.line(JSON.stringify({ time, ...failed }));
    context.out.error(message);
    return exitCode;
  }
}

export async function gatewayStart(context: CliContext, options: GatewayOptions): Promise<number> {
  const { out } = context;
  const before = await currentStatus(context);
  if (before.state === "healthy") return started(context, options, before, "The gateway is already running");
  const { status, isFirstStart } = await bringUp(context, before);
  if (isFirstStart && out.isTerminal && !options.json) await offerAlias(context);
  return started(context, options, status, "The gateway is running");
}

function started(context: CliContext, options: GatewayOptions, status: Status, text: string): number {
  const exit = finish(context, options, status, text);
  if (!options.json && status.url !== null) {
    const { out, name } = context;
    out.line(`The console is at ${consoleUrl(status.url)}; ${name} console opens it, signed in`);
  }
  return exit;
}

/** Starts what is not there, and waits until it is ready. */
export async function bringUp(
  context: CliContext,
  before: Status,
): Promise<{ status: Status; isFirstStart: boolean }> {
  let isFirstStart = false;
  if (before.supervisor.pid === null) {
    ({ isNew: isFirstStart } = await ensureConfig(context.paths));
    await startSupervisor(context).catch((error: unknown) => {
      // somebody else was faster: what they started is what was wanted
      if (!(error instanceof ClawkitError) || error.code !== "ALREADY_RUNNING") throw error;
    });
  }
  return { status: await untilServed(context), isFirstStart };
}

/** Starts it, through its service if there is one; `handOver` has a gateway end first that has the port. */
export async function startSupervisor(context: CliContext, handOver?: HandOver): Promise<void> {
  await readConfig(context);
  context.out.progress("starting");
  const service = await installedService(context);
  if (service === undefined) return await context.startSupervisor(handOver);
  // a manager's start cannot wait for a port
  await handOver?.(context.interrupted);
  await driveService(context, service, "start");
}

/**
 * With a service installed its manager stops it: what only ended would be started again. That lasts until `start`,
 * or the next boot or logon.
 */
export async function gatewayStop(context: CliContext, options: GatewayOptions): Promise<number> {
  const wasRunning = await stopKept(context);
  const text = wasRunning ? "The gateway is stopped" : "The gateway was not running";
  return finish(context, options, await currentStatus(context), text);
}

/** Stops it so that no service manager starts it again; false if nothing of ours ran. */
export async function stopKept(context: CliContext): Promise<boolean> {
  const service = await installedService(context);
  const kept = service !== undefined && isKept(await serviceFacts(context, service));
  if (kept) await driveService(context, service, "stop");
  return (await stopEverything(context)) || kept;
}

/** Ends every process of ours; resolves with whether there was a supervisor. */
export async function stopEverything(context: CliContext): Promise<boolean> {
  const { out, controlPath } = context;
  const before = await currentStatus(context).catch(() => undefined);
  const supervisorPid = before?.supervisor.pid ?? (await context.supervisorPid());
  const edgePid = before?.edge.pid;
  const hasAnswered = before !== undefined && before.supervisor.upMs !== null;
  if (supervisorPid !== undefined && hasAnswered) {
    await callControl(controlPath, { op: "stop" }, (text) => out.progress(text));
  } else if (supervisorPid !== undefined) {
    out.progress(`the supervisor does not answer: ending it (pid ${supervisorPid})`);
    context.sendSignal(supervisorPid, "SIGTERM");
  }
  const pids = [supervisorPid, edgePid, before?.gateway.pid].filter((pid) => typeof pid === "number");
  await untilGone(context, pids);
  await context.endLeftovers();
  return supervisorPid !== undefined;
}

export async function gatewayRestart(context: CliContext, options: GatewayOptions): Promise<number> {
  const { out, controlPath } = context;
  const all = options.all === true;
  if (all) {
    // what the new code could not work with is found out before anything is stopped
    await readConfig(context);
    refuseNewerStore(context.paths.recorder);
    if (await replaceSupervisor(context)) {
      return finish(context, options, await untilServed(context), "Everything was restarted");
    }
  }
  const status = await callControl(controlPath, { op: "restart", all }, (text) => out.progress(text));
  if (status === undefined) return await gatewayStart(context, options);
  const { version } = status.supervisor;
  if (version !== VERSION && !options.json) {
    out.line(`Its supervisor still is ClawKit ${version}: clawkit gateway restart --all makes it ${VERSION}`);
  }
  return finish(context, options, status, all ? "Everything was restarted" : "The gateway was restarted");
}

/** After an upgrade, and wherever a service manager can start it again, the supervisor is replaced too. */
async function replaceSupervisor(context: CliContext): Promise<boolean> {
  const { supervisor } = await currentStatus(context);
  if (supervisor.pid === null) return false;
  const service = await installedService(context);
  if (service !== undefined && isKept(await serviceFacts(context, service))) {
    context.out.progress(`restarting ${service.service}`);
    if (service.commands("restart").length > 0) {
      await driveService(context, service, "restart");
      await untilGone(context, [supervisor.pid], STOP_MS);
    } else {
      await driveService(context, service, "stop");
      await stopEverything(context);
      await driveService(context, service, "start");
    }
    return true;
  }
  if (supervisor.version === VERSION) return false;
  await stopEverything(context);
  await context.startSupervisor();
  return true;
}

export async function gatewayStatus(context: CliContext, options: GatewayOptions): Promise<number> {
  const [status, service] = await Promise.all([currentStatus(context), inspectService(context)]);
  if (options.json) context.out.json({ ...status, service });
  else renderStatus(status, context, service);
  return STATUS_EXIT[status.state];
}

async function inspectService(context: CliContext): Promise<ServiceStatus | null> {
  const manager = await installedService(context);
  if (manager === undefined) return null;
  const facts = await serviceFacts(context, manager);
  const { name, service, definitionPath } = manager;
  const state = facts?.state ?? "its manager does not answer, or does not know it";
  return { manager: name, name: service, state, isRunning: facts?.isRunning ?? false, definitionPath };
}

/** The playbook's commands are called `openclaw`: say once how to have them, where nothing of that name is. */
async function offerAlias(context: CliContext): Promise<void> {
  const { findOpenclaw } = await import("./alias.ts");
  if ((await findOpenclaw(context)) !== null) return;
  context.out.line("No openclaw is installed: to call this by that name too, run: clawkit alias on");
}

/** Waits until clients are served; throws why they will not be. */
export async function untilServed(context: CliContext): Promise<Status> {
  const isService = (await installedService(context)) !== undefined;
  const deadline = context.clock.now() + ANSWER_MS;
  while (true) {
    const status = await callControl(context.controlPath, { op: "wait-ready" }, (text) =>
      context.out.progress(text),
    );
    if (status !== undefined) return status;
    // launchd and Task Scheduler have it started a moment later
    const isStarting = isService || (await context.supervisorPid()) !== undefined;
    if (!isStarting || context.clock.now() > deadline) {
      throw new ClawkitError("GATEWAY_NOT_READY", "The supervisor ended while starting: see clawkit logs");
    }
    await pause();
  }
}

/** Waits until every process is gone; throws what is left. */
async function untilGone(context: CliContext, pids: readonly number[], limitMs = GONE_MS): Promise<void> {
  const deadline = context.clock.now() + limitMs;
  while (true) {
    const facts = await Promise.all(pids.map((pid) => context.host.process(pid)));
    const left = facts.filter((one) => one !== undefined && one.state !== "zombie");
    if (left.length === 0) return;
    if (context.clock.now() > deadline) {
      const names = left.map((one) => `pid ${one!.pid} (${one!.command})`).join(", ");
      throw new ClawkitError("CONTROL_FAILED", `Cannot stop everything: still there are ${names}`);
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function finish(context: CliContext, options: GatewayOptions, status: Status, text: string): number {
  if (options.json) context.out.json(status);
  else {
    const where =
      status.url === null ? "" : ` at ${status.url} (gateway pid ${status.gateway.pid ?? "none"})`;
    context.out.line(`${text}${where}`);
  }
  return 0;
}
