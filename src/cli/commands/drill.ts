import type { Status } from "../../core/control.ts";
import { ClawkitError } from "../../core/errors.ts";
import { type ConsentOptions, isAllowed } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { tableLines } from "../output/table.ts";
import { preciseDuration } from "../output/time.ts";
import { currentStatus } from "../running.ts";

interface Drill {
  readonly id: string;
  readonly what: string;
  /** What happens to clients, in a sentence that is shown first. */
  readonly effect: string;
  readonly signal: NodeJS.Signals;
}

const AS_IT_ENDED =
  "clients of the built-in gateway go on with the next one; those of another are told 1012, and requests under way are lost";

/** Harmless on any installation of ours: the supervisor brings back what they end, and nothing on disk changes. */
const DRILLS: readonly Drill[] = [
  {
    id: "gateway-killed",
    what: "the gateway is killed (SIGKILL), as by the OOM killer",
    effect: AS_IT_ENDED,
    signal: "SIGKILL",
  },
  {
    id: "gateway-stopped",
    what: "the gateway is stopped (SIGSTOP), as a hung one would be",
    effect: `clients wait until the supervisor notices and replaces it; then ${AS_IT_ENDED}`,
    signal: "SIGSTOP",
  },
  {
    id: "gateway-crashed",
    what: "the gateway crashes (SIGSEGV), as by a broken native module",
    effect: AS_IT_ENDED,
    signal: "SIGSEGV",
  },
];

const POLL_MS = 50;
const BACK_MS = 60_000;

/** `clawkit drill [fault]`: rehearse an outage on one's own installation. Exit 0 if it came back. */
export async function drill(
  context: CliContext,
  id: string | undefined,
  options: ConsentOptions,
): Promise<number> {
  const { out } = context;
  if (id === undefined) return list(context, options);
  const chosen = DRILLS.find((one) => one.id === id);
  if (chosen === undefined) {
    const known = DRILLS.map((one) => one.id).join(", ");
    throw new ClawkitError("USAGE", `There is no drill ${JSON.stringify(id)}: there are ${known}`);
  }
  const before = await currentStatus(context);
  const pid = before.gateway.pid;
  if (before.state !== "healthy" || pid === null) {
    throw new ClawkitError(
      "NOT_RUNNING",
      `A drill needs a gateway of ours that is well; it is ${before.state}`,
    );
  }
  if (!options.json) {
    out.line(`What will happen: ${chosen.what} (pid ${pid}).`);
    out.line(`${before.connections} clients are connected: ${chosen.effect}.`);
  }
  const victim = await context.host.process(pid);
  if (!(await isAllowed(context, options, "Go on?"))) {
    throw new ClawkitError("USAGE", `Nothing was done: ${chosen.what}, with --yes`);
  }
  const now = await context.host.process(pid);
  if (victim === undefined || now?.startTime !== victim.startTime) {
    throw new ClawkitError("NOT_RUNNING", `Nothing was done: pid ${pid} is no longer that gateway`);
  }
  const startedAt = context.clock.now();
  context.sendSignal(pid, chosen.signal);
  const after = await untilBack(context, pid);
  const tookMs = Math.round(context.clock.now() - startedAt);
  if (options.json) out.json({ drill: chosen.id, back: after !== undefined, tookMs });
  else if (after === undefined) out.line(`It is not back after ${BACK_MS / 1000} s: ${context.name} doctor`);
  else {
    out.line(`It was served again after ${preciseDuration(tookMs)} (gateway pid ${after.gateway.pid}).`);
    out.line(`What was recorded: ${context.name} why`);
  }
  return after === undefined ? 1 : 0;
}

function list({ out, name }: CliContext, { json }: { json?: boolean }): number {
  if (json) {
    out.json(DRILLS.map(({ id, what, effect }) => ({ id, what, effect })));
    return 0;
  }
  for (const line of tableLines(DRILLS.map(({ id, what }) => [id, what]))) out.line(line);
  out.line(`Rehearse one with: ${name} drill ${DRILLS[0]!.id}`);
  return 0;
}

async function untilBack(context: CliContext, pid: number): Promise<Status | undefined> {
  const deadline = context.clock.now() + BACK_MS;
  while (context.clock.now() < deadline && !context.interrupted.aborted) {
    const now = await currentStatus(context).catch(() => undefined);
    if (now?.state === "healthy" && now.gateway.pid !== null && now.gateway.pid !== pid) return now;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}
