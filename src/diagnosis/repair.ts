import { messageOf } from "../core/errors.ts";
import type { Examination } from "./doctor.ts";
import type { Machine } from "./machine.ts";
import { allRepairs } from "./remedies/index.ts";
import type { Ledger } from "./remedies/ledger.ts";
import type { Actions, Plan, Repair, RepairContext } from "./remedies/types.ts";
import type { Risk } from "./types.ts";

/** One repair may uncover the next: a config that is mended, a start; more than these go in circles. */
const MAX_REPAIRS = 6;

/** Between two looks at whether a start has brought the gateway back. */
const LOOK_PAUSE_MS = 500;

export interface RepairResult {
  readonly id: string;
  readonly what: string;
  readonly risk: Risk;
  readonly diff: readonly string[];
  /** `declined`: whoever was asked said no, or nobody could be asked. */
  readonly outcome: "applied" | "declined" | "failed" | "planned";
  /** Its id in the ledger, if it can be undone. */
  readonly ledgerId?: string;
  readonly error?: string;
}

export interface RepairDeps {
  /** A machine that is looked at afresh. */
  readonly machine: () => Promise<Machine>;
  readonly examine: (machine: Machine) => Promise<Examination>;
  readonly actions: Actions;
  readonly ledger: Pick<Ledger, "carryOut">;
  /** Whether a plan that is not safe may be carried out. */
  readonly consent: (plan: Plan) => Promise<boolean>;
  readonly progress: (text: string) => void;
  /** Show what would be done, and do nothing. */
  readonly isDryRun: boolean;
  readonly interrupted: AbortSignal;
}

export interface Repaired {
  readonly before: Examination;
  readonly after: Examination;
  readonly machine: Machine;
  readonly results: readonly RepairResult[];
}

/**
 * Looks, makes the first repair that helps with a cause that holds, looks again whether it helped, and so on. Safe
 * ones are made, disruptive ones if `consent` says so, destructive ones never.
 */
export async function repair(deps: RepairDeps): Promise<Repaired> {
  let machine = await deps.machine();
  const before = await deps.examine(machine);
  let after = before;
  const results: RepairResult[] = [];
  while (after.diagnosis.verdict !== "healthy" && results.length < MAX_REPAIRS && !deps.interrupted.aborted) {
    const done = results.map(({ id }) => id);
    const found = await firstPlan({ machine, examination: after, actions: deps.actions }, done);
    if (found === undefined) break;
    const result = await carryOut(found.repair, found.plan, deps);
    results.push(result);
    if (result.outcome !== "applied") continue;
    [machine, after] = await lookAgain(found.plan, after, deps);
  }
  return { before, after, machine, results };
}

/** The repair that would be made first; undefined if there is none. */
export async function firstPlan(
  context: RepairContext,
  done: readonly string[] = [],
): Promise<{ repair: Repair; plan: Plan } | undefined> {
  const holding = context.examination.diagnosis.causes
    .filter(({ verdict }) => verdict === "confirmed" || verdict === "likely")
    .map(({ id }) => id);
  for (const one of allRepairs) {
    if (done.includes(one.id)) continue;
    if (one.helpsWith !== "any" && !one.helpsWith.some((id) => holding.includes(id))) continue;
    if (holding.length === 0) continue;
    // what it would need may have changed since it was looked at: then it is none
    const plan = await one.plan(context).catch(() => undefined);
    if (plan !== undefined && plan.risk !== "destructive") return { repair: one, plan };
  }
  return undefined;
}

async function carryOut({ id }: Repair, plan: Plan, deps: RepairDeps): Promise<RepairResult> {
  const { what, risk, diff = [] } = plan;
  const result = { id, what, risk, diff };
  if (deps.isDryRun) return { ...result, outcome: "planned" };
  if (risk !== "safe" && !(await deps.consent(plan))) return { ...result, outcome: "declined" };
  deps.progress(what);
  try {
    const entry = await deps.ledger.carryOut(id, plan);
    const ledgerId = entry.undo.length === 0 ? {} : { ledgerId: entry.id };
    return { ...result, outcome: "applied", ...ledgerId };
  } catch (error) {
    return { ...result, outcome: "failed", error: messageOf(error) };
  }
}

/**
 * What is started takes its time: the first look at which it is well is the result, or one that confirms why it is
 * not, or the last one.
 */
async function lookAgain(plan: Plan, before: Examination, deps: RepairDeps): Promise<[Machine, Examination]> {
  const first = await deps.machine();
  const deadline = first.clock.now() + (plan.settleMs ?? 0);
  let machine = first;
  if (plan.settleMs !== undefined) deps.progress("waiting until it is well");
  while (true) {
    const examination = await deps.examine(machine);
    const [best] = examination.diagnosis.causes;
    const isNew = best?.verdict === "confirmed" && !before.diagnosis.causes.some(({ id }) => id === best.id);
    const isOver = examination.diagnosis.verdict === "healthy" || isNew || deps.interrupted.aborted;
    if (isOver || first.clock.now() >= deadline) return [machine, examination];
    await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
    machine = await deps.machine();
  }
}
