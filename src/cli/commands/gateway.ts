import type { OverallState, Status } from "../../core/control.ts";
import { ClawkitError } from "../../core/errors.ts";
import { ensureConfig } from "../config-file.ts";
import type { CliContext } from "../context.ts";
import { callControl } from "../control-client.ts";
import { renderStatus } from "../output/status.ts";
import { currentStatus, readConfig } from "../running.ts";

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

/** How long `stop` waits for the port after every process is gone. */
const PORT_FREE_MS = 5_000;

export async function gatewayRun(context: CliContext): Promise<number> {
  await ensureConfig(context.paths);
  return await context.runSupervisor();
}

export async function gatewayStart(context: CliContext, options: GatewayOptions): Promise<number> {
  const { out } = context;
  const before = await currentStatus(context);
  if (before.state === "healthy") return finish(context, options, before, "The gateway is already running");
  let isFirstStart = false;
  if (before.supervisor.pid === null) {
    ({ isNew: isFirstStart } = await ensureConfig(context.paths));
    await readConfig(context);
    out.progress("starting");
    await context.startSupervisor();
  }
  const status = await untilReady(context);
  if (isFirstStart && out.isTerminal && !options.json) await offerAlias(context);
  return finish(context, options, status, "The gateway is running");
}

export async function gatewayStop(context: CliContext, options: GatewayOptions): Promise<number> {
  const { out, controlPath } = context;
  const before = await currentStatus(context);
  const wasRunning = before.supervisor.pid !== null;
  if (wasRunning) await callControl(controlPath, { op: "stop" }, (text) => out.progress(text));
  await untilGone(context, before);
  await context.endLeftovers();
  const status = await currentStatus(context);
  return finish(
    context,
    options,
    status,
    wasRunning ? "The gateway is stopped" : "The gateway was not running",
  );
}

export async function gatewayRestart(context: CliContext, options: GatewayOptions): Promise<number> {
  const { out, controlPath } = context;
  const all = options.all === true;
  const status = await callControl(controlPath, { op: "restart", all }, (text) => out.progress(text));
  if (status === undefined) return await gatewayStart(context, options);
  return finish(context, options, status, all ? "Everything was restarted" : "The gateway was restarted");
}

export async function gatewayStatus(context: CliContext, options: GatewayOptions): Promise<number> {
  const status = await currentStatus(context);
  if (options.json) context.out.json(status);
  else renderStatus(status, context);
  return STATUS_EXIT[status.state];
}

/** The playbook's commands are called `openclaw`: say once how to have them, where nothing of that name is. */
async function offerAlias(context: CliContext): Promise<void> {
  const { findOpenclaw } = await import("./alias.ts");
  if ((await findOpenclaw(context)) !== null) return;
  context.out.line("No openclaw is installed: to call this by that name too, run: clawkit alias on");
}

async function untilReady(context: CliContext): Promise<Status> {
  const status = await callControl(context.controlPath, { op: "wait-ready" }, (text) =>
    context.out.progress(text),
  );
  if (status === undefined) {
    throw new ClawkitError("GATEWAY_NOT_READY", "The supervisor ended while starting: see clawkit logs");
  }
  return status;
}

/** Every process gone, and the port free unless it belongs to somebody else. */
async function untilGone(context: CliContext, before: Status): Promise<void> {
  const pids = [before.supervisor.pid, before.edge.pid, before.gateway.pid].filter((pid) => pid !== null);
  const deadline = context.clock.now() + PORT_FREE_MS;
  while (context.clock.now() < deadline) {
    const left = await Promise.all(pids.map((pid) => context.host.process(pid)));
    const owners = await context.host.portOwners(before.port);
    const ours = owners.some((owner) => owner.pid !== undefined && pids.includes(owner.pid));
    if (left.every((facts) => facts === undefined || facts.state === "zombie") && !ours) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
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
