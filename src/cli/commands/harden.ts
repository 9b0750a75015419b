import { ClawkitError } from "../../core/errors.ts";
import { type Applied, applyAdvice } from "../../diagnosis/harden/apply.ts";
import { harden as adviceFor } from "../../diagnosis/harden/index.ts";
import type { Advice } from "../../diagnosis/harden/types.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { SCHEMA_VERSION } from "../../diagnosis/report.ts";
import { consent, declinedNote } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";

export interface HardenOptions {
  /** Ids of items with commas between them, or all. */
  readonly apply?: boolean | string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `clawkit harden`: what to change before it breaks again. Exit 0 if nothing is left to change, 1 if something is, or no gateway is here. */
export async function harden(context: CliContext, options: HardenOptions): Promise<number> {
  const { out } = context;
  const machine = await machineOf(context);
  const advice = await adviceFor(machine);
  const results = options.apply ? await apply(context, advice, options) : new Map<Advice, Applied>();
  const isOpen = (one: Advice) =>
    (one.state === "change" || one.id === "config") && results.get(one)?.helped !== true;
  const exit = advice.length === 0 || advice.some(isOpen) ? 1 : 0;
  if (options.json) {
    out.json({
      schemaVersion: SCHEMA_VERSION,
      ok: exit === 0,
      advice: advice.map((one) => toJson(one, results.get(one))),
    });
    return exit;
  }
  if (advice.length === 0) {
    out.line("There is no gateway here yet: clawkit gateway start");
    return exit;
  }
  for (const one of advice) print(context, one, results.get(one));
  const isApplied = [...results.values()].some(({ outcome }) => outcome === "applied");
  if (isApplied)
    out.line("Undo with the lines above, the last one first; all of them: clawkit doctor undo --list");
  if (isApplied && (await machine.status()).supervisor.pid !== null)
    out.line("Changes of the config take effect with: clawkit gateway restart --all");
  if (exit === 1 && options.apply === undefined)
    out.line(
      "Make the changes with: clawkit harden --apply   (it asks before disruptive ones; each can be undone)",
    );
  return exit;
}

function apply(
  context: CliContext,
  advice: readonly Advice[],
  options: HardenOptions,
): Promise<ReadonlyMap<Advice, Applied>> {
  return applyAdvice(chosen(advice, options.apply), {
    ledger: new Ledger(context.paths.stateDir, () => context.clock.wall()),
    consent: (plan) => consent(context, plan, options),
    progress: (text) => context.out.progress(text),
    lookAgain: async () => await adviceFor(await machineOf(context)),
  });
}

/** Throws USAGE for an item that there is not. */
function chosen(advice: readonly Advice[], which: HardenOptions["apply"]): readonly Advice[] {
  if (typeof which !== "string") return advice;
  const ids = which.split(",");
  const known = advice.map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown === undefined) return advice.filter(({ id }) => ids.includes(id));
  throw new ClawkitError(
    "USAGE",
    `--apply must name items, and ${JSON.stringify(unknown)} is none: ${known.join(", ")}`,
  );
}

function toJson({ plan, ...advice }: Advice, result: Applied | undefined): object {
  const change = plan === undefined ? {} : { risk: plan.risk, change: plan.what, diff: plan.diff ?? [] };
  if (result === undefined) return { ...advice, ...change };
  const { ledgerId, ...rest } = result;
  const undo = ledgerId === undefined ? {} : { applied: true, undo: ledgerId };
  return { ...advice, ...change, ...rest, ...undo };
}

function print({ out }: CliContext, advice: Advice, result: Applied | undefined): void {
  const { state, title, current, reason, plan, command, afterwards } = advice;
  const isDone = result?.outcome === "applied";
  const colour = state === "ok" || result?.helped ? "green" : "yellow";
  const now = result?.now === undefined || result.now === current ? "" : ` → ${result.now}`;
  out.line(`${out.style(colour, (isDone ? "done" : state).padEnd(7))} ${title}: ${current}${now}`);
  if (state === "ok") return;
  const also = (text: string) => out.line(`          ${text}`);
  also(reason);
  for (const line of plan?.diff ?? (plan === undefined ? [] : [plan.what])) also(line);
  if (state === "yours" && command !== undefined) also(command);
  if (plan !== undefined && plan.risk !== "safe" && result === undefined)
    also(`${plan.risk}: --apply asks first`);
  if (result?.outcome === "declined") also(`not done (${declinedNote(plan!.risk)})`);
  if (result?.outcome === "failed") also(`failed: ${result.error}`);
  if (result?.helped === false) also("it did not help");
  if (afterwards !== undefined && result?.outcome !== "declined") also(afterwards);
  if (isDone) also(`undo: clawkit doctor undo ${result.ledgerId}`);
}
