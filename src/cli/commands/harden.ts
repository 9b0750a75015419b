import { type Advice, harden as adviceFor } from "../../diagnosis/harden.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";

const MARKS = { ok: "ok", change: "change", yours: "yours" } as const;

/** `clawkit harden`: what to change before it breaks again. Exit 0 if nothing is left to change, 1 if something is. */
export async function harden(
  context: CliContext,
  options: { apply?: boolean; json?: boolean },
): Promise<number> {
  const { out } = context;
  const machine = await machineOf(context);
  const advice = await adviceFor(machine);
  const applied = options.apply === true ? await apply(context, advice) : new Map<Advice, string>();
  const open = advice.filter((one) => one.state === "change" && !applied.has(one));
  if (options.json) {
    out.json({
      ok: open.length === 0,
      advice: advice.map(({ plan, ...one }) => {
        const change = plan === undefined ? {} : { change: plan.what, diff: plan.diff ?? [] };
        const undo = [...applied].find(([other]) => other.id === one.id && other.title === one.title)?.[1];
        return { ...one, ...change, ...(undo === undefined ? {} : { applied: true, undo }) };
      }),
    });
    return open.length === 0 ? 0 : 1;
  }
  if (advice.length === 0) {
    out.line("There is no gateway here yet: clawkit gateway start");
    return 1;
  }
  for (const one of advice) print(context, one, applied.get(one));
  const restart = applied.size > 0 && (await machine.status()).supervisor.pid !== null;
  if (restart) out.line("Changes of the config take effect with: clawkit gateway restart --all");
  if (open.length > 0) out.line("Make the changes with: clawkit harden --apply   (each can be undone)");
  return open.length === 0 ? 0 : 1;
}

/** Makes the changes; returns the id of each in the ledger. */
async function apply(context: CliContext, advice: readonly Advice[]): Promise<Map<Advice, string>> {
  const ledger = new Ledger(context.paths.stateDir, () => context.clock.wall());
  const applied = new Map<Advice, string>();
  for (const one of advice) {
    if (one.plan === undefined) continue;
    context.out.progress(one.plan.what);
    applied.set(one, (await ledger.carryOut("harden", one.plan)).id);
  }
  return applied;
}

function print({ out }: CliContext, advice: Advice, ledgerId: string | undefined): void {
  const { state, title, current, reason, plan, command } = advice;
  const isDone = ledgerId !== undefined;
  const colour = state === "ok" || isDone ? "green" : "yellow";
  const mark = (isDone ? "done" : MARKS[state]).padEnd(7);
  out.line(`${out.style(colour, mark)} ${title}: ${current}`);
  if (state === "ok") return;
  out.line(`          ${reason}`);
  for (const line of plan?.diff ?? (plan === undefined ? [] : [plan.what])) out.line(`          ${line}`);
  if (state === "yours" && command !== undefined) out.line(`          ${command}`);
  if (isDone) out.line(`          undo: clawkit doctor undo ${ledgerId}`);
}
