import { messageOf } from "../../core/errors.ts";
import type { Ledger } from "../remedies/ledger.ts";
import type { Plan } from "../remedies/types.ts";
import type { Advice } from "./types.ts";

/** What became of a piece of advice. */
export interface Applied {
  /** `declined`: whoever was asked said no, or nobody could be asked. */
  readonly outcome: "applied" | "declined" | "failed";
  /** Its id in the ledger. */
  readonly ledgerId?: string;
  readonly error?: string;
  /** Of one that was made: how it is now, and whether that is as it should be. */
  readonly now?: string;
  readonly helped?: boolean;
}

export interface ApplyDeps {
  readonly ledger: Pick<Ledger, "carryOut" | "judge">;
  /** Whether a plan that is not safe may be carried out. */
  readonly consent: (plan: Plan) => Promise<boolean>;
  readonly progress: (text: string) => void;
  readonly lookAgain: () => Promise<readonly Advice[]>;
}

/** Makes the changes: safe ones, and disruptive ones if `consent` says so. Looks again whether each is in effect. */
export async function applyAdvice(
  advice: readonly Advice[],
  deps: ApplyDeps,
): Promise<ReadonlyMap<Advice, Applied>> {
  const results = new Map<Advice, Applied>();
  for (const one of advice) {
    if (one.plan !== undefined) results.set(one, await carryOut(one.plan, deps));
  }
  if (![...results.values()].some(({ outcome }) => outcome === "applied")) return results;
  const after = await deps.lookAgain();
  for (const [one, result] of results) {
    if (result.ledgerId === undefined) continue;
    const now = after.find(({ id, title }) => id === one.id && title === one.title);
    const helped = now?.state === "ok";
    results.set(one, { ...result, helped, ...(now === undefined ? {} : { now: now.current }) });
    await deps.ledger.judge(result.ledgerId, helped).catch(() => undefined); // a full disk forgets it
  }
  return results;
}

async function carryOut(plan: Plan, { ledger, consent, progress }: ApplyDeps): Promise<Applied> {
  if (plan.risk !== "safe" && !(await consent(plan))) return { outcome: "declined" };
  progress(plan.what);
  try {
    return { outcome: "applied", ledgerId: (await ledger.carryOut("harden", plan)).id };
  } catch (error) {
    return { outcome: "failed", error: messageOf(error) };
  }
}
