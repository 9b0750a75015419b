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
  /** Of one that was made: whether what it is for was gone when it was looked at again. */
  readonly helped?: boolean;
  /** Of one that is planned: it is only made if the ones before it do not help. */
  readonly isFallback?: boolean;
  /** Its id in the ledger, if it can be undone. */
  readonly ledgerId?: string;
  readonly error?: string;
}

export interface RepairDeps {
  /** A machine that is looked at afresh. */
  readonly machine: () => Promise<Machine>;
  readonly examine: (machine: Machine) => Promise<Examination>;
  readonly actions: Actions;
  readonly ledger: Pick<Ledger, "carryOut" | "judge">;
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
 * ones are made, others only if `consent` says so.
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
    if (deps.isDryRun) {
      results.push({ ...factsOf(found), outcome: "planned", isFallback: results.length > 0 });
      continue;
    }
    const { result, entryId } = await carryOut(found, after, deps);
    const isApplied = result.outcome === "applied";
    const held = after;
    [machine, after] = await lookAgain(isApplied ? found.plan.settleMs : undefined, after, deps);
    if (entryId === undefined) {
      results.push(result);
      continue;
    }
    const helped = hasHelped(found.repair, held, after);
    results.push({ ...result, helped });
    await deps.ledger.judge(entryId, helped).catch(() => undefined); // a full disk forgets it
  }
  return { before, after, machine, results };
}

/** Whether a cause that it is for held before and does not now; a start is for a gateway that is well. */
function hasHelped({ helpsWith }: Repair, before: Examination, after: Examination): boolean {
  if (after.diagnosis.verdict === "healthy") return true;
  if (helpsWith === "any") return false;
  const holds = holding(after);
  return holding(before).some((id) => helpsWith.includes(id) && !holds.includes(id));
}

/** Causes that are at least likely. */
function holding({ diagnosis }: Examination): string[] {
  return diagnosis.causes
    .filter(({ verdict }) => verdict === "confirmed" || verdict === "likely")
    .map(({ id }) => id);
}

interface Found {
  readonly repair: Repair;
  readonly plan: Plan;
}

function factsOf({ repair: { id }, plan: { what, risk, diff = [] } }: Found) {
  return { id, what, risk, diff };
}

/** The repair that would be made first; undefined if there is none. */
export async function firstPlan(
  context: RepairContext,
  done: readonly string[] = [],
): Promise<Found | undefined> {
  const holds = holding(context.examination);
  for (const one of allRepairs) {
    if (done.includes(one.id)) continue;
    if (one.helpsWith !== "any" && !one.helpsWith.some((id) => holds.includes(id))) continue;
    if (holds.length === 0) continue;
    // what it would need may have changed since it was looked at: then it is none
    const plan = await one.plan(context).catch(() => undefined);
    if (plan !== undefined) return { repair: one, plan };
  }
  return undefined;
}

async function carryOut(
  { repair, plan: planned }: Found,
  { diagnosis }: Examination,
  deps: RepairDeps,
): Promise<{ result: RepairResult; entryId?: string }> {
  const result = factsOf({ repair, plan: planned });
  if (planned.risk !== "safe" && !(await deps.consent(planned)))
    return { result: { ...result, outcome: "declined" } };
  const plan = await planAgain(repair, planned, deps);
  if (plan === undefined) {
    const error = "what it rests on has changed meanwhile";
    return { result: { ...result, outcome: "failed", error } };
  }
  deps.progress(planned.what);
  try {
    const entry = await deps.ledger.carryOut(repair.id, plan, diagnosis.causes[0]?.id);
    const ledgerId = entry.undo.length === 0 ? {} : { ledgerId: entry.id };
    return { result: { ...result, outcome: "applied", ...ledgerId }, entryId: entry.id };
  } catch (error) {
    return { result: { ...result, outcome: "failed", error: messageOf(error) } };
  }
}

/** Between the look and the yes minutes may have passed: only the same plan, made anew, is carried out. */
async function planAgain(repair: Repair, planned: Plan, deps: RepairDeps): Promise<Plan | undefined> {
  if (planned.risk === "safe") return planned;
  const machine = await deps.machine();
  const examination = await deps.examine(machine);
  if (examination.diagnosis.verdict === "healthy") return undefined;
  const plan = await repair.plan({ machine, examination, actions: deps.actions }).catch(() => undefined);
  const isSame = plan?.what === planned.what && plan.diff?.join("\n") === planned.diff?.join("\n");
  // the one that was agreed to: it knows what it was made from, and refuses if that has changed
  return isSame ? planned : undefined;
}

/**
 * What is started takes its time: the first look at which it is well is the result, or one that confirms why it is
 * not, or the last one.
 */
async function lookAgain(
  settleMs: number | undefined,
  before: Examination,
  deps: RepairDeps,
): Promise<[Machine, Examination]> {
  const first = await deps.machine();
  const deadline = first.clock.now() + (settleMs ?? 0);
  let machine = first;
  if (settleMs !== undefined) deps.progress("waiting until it is well");
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
