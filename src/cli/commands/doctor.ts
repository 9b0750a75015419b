import { realpath } from "node:fs/promises";
import { ClawkitError } from "../../core/errors.ts";
import { allLooks, type Examination, examine } from "../../diagnosis/doctor.ts";
import { seenHere } from "../../diagnosis/feedback.ts";
import type { Look, Machine } from "../../diagnosis/machine.ts";
import { examinationHeadline, examinationJson, examinationLines } from "../../diagnosis/machine-report.ts";
import { examineOnly } from "../../diagnosis/one-look.ts";
import { allRepairs } from "../../diagnosis/remedies/index.ts";
import { Ledger, type LedgerEntry } from "../../diagnosis/remedies/ledger.ts";
import type { Actions } from "../../diagnosis/remedies/types.ts";
import { firstPlan, type RepairResult, repair } from "../../diagnosis/repair.ts";
import { consent, declinedNote } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { callControl } from "../control-client.ts";
import { machineOf } from "../machine.ts";
import { tableLines } from "../output/table.ts";
import { localTime } from "../output/time.ts";
import { currentStatus } from "../running.ts";
import { bringUp } from "./gateway.ts";

export interface DoctorOptions {
  /** Ids of repairs with commas between them, or all. */
  readonly fix?: boolean | string;
  /** The alias's word for it: OpenClaw's doctor has both. */
  readonly repair?: boolean;
  readonly nonInteractive?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly only?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly deep?: boolean;
  readonly verbose?: boolean;
  readonly url?: string;
}

/** `clawkit doctor`: exit 0 healthy, 1 something is wrong. */
export async function doctor(context: CliContext, options: DoctorOptions): Promise<number> {
  if (options.list) return list(context, options);
  const one = options.only === undefined ? undefined : lookNamed(options.only);
  const isRepairing = options.fix !== undefined || options.repair === true || options.dryRun === true;
  if (isRepairing && options.only !== undefined) {
    throw new ClawkitError("USAGE", "--fix needs every look: leave --only out");
  }
  if (isRepairing && options.url !== undefined) {
    throw new ClawkitError("USAGE", "--fix repairs this machine's own gateway: leave --url out");
  }
  if (isRepairing) return await repairAll(context, options);
  const machine = await machineOf(context, options);
  const seen = await seenHere(context.paths.feedback);
  const looks = options.json && options.verbose ? toldOf(context, allLooks) : allLooks;
  const examination =
    one === undefined ? await examine(machine, looks, seen) : await examineOnly(machine, one, seen);
  // a repair is planned from everything that is known
  const next =
    one === undefined ? await firstPlan({ machine, examination, actions: actionsOf(context) }) : undefined;
  if (options.json) {
    const command = next === undefined ? null : `${context.name} doctor --fix`;
    context.out.json({
      ...examinationJson(examination, one === undefined ? allLooks.length : 1),
      next: command,
    });
    return exitOf(examination);
  }
  print(context, examination, machine, options.verbose ?? false);
  if (next !== undefined) {
    context.out.line(`Next: ${context.name} doctor --fix   (it would ${next.plan.what})`);
  }
  return exitOf(examination);
}

/** `clawkit doctor undo [id]`: takes a repair back, byte for byte. */
export async function doctorUndo(
  context: CliContext,
  id: string | undefined,
  options: { json?: boolean; list?: boolean; yes?: boolean },
): Promise<number> {
  const { out } = context;
  const ledger = new Ledger(context.paths.stateDir, () => context.clock.wall());
  if (options.list) {
    const entries = await ledger.entries();
    if (options.json) out.json(entries);
    else if (entries.length === 0) out.line("No repair was made yet");
    else for (const line of tableLines(entries.map(entryRow))) out.line(line);
    return 0;
  }
  const entry = await ledger.undo(id, { isForced: options.yes ?? false });
  const afterwards = await stillInForce(context, entry);
  if (options.json) out.json({ ...entry, ...(afterwards === undefined ? {} : { afterwards }) });
  else {
    out.line(`Undone: ${entry.what}`);
    if (afterwards !== undefined) out.line(afterwards);
  }
  return 0;
}

/** A gateway that runs goes on with the config it started with; undefined if there is nothing of that to say. */
async function stillInForce(context: CliContext, { undo }: LedgerEntry): Promise<string | undefined> {
  const config = await realpath(context.paths.config).catch(() => context.paths.config);
  const isOwnConfig = undo.some((step) => step.kind === "restore" && step.path === config);
  if (!isOwnConfig || (await context.supervisorPid()) === undefined) return undefined;
  return `The gateway that runs still has what was undone, until: ${context.name} gateway restart --all`;
}

function entryRow({ id, at, state, helped, what }: LedgerEntry): string[] {
  const effect = helped === undefined ? "" : helped ? ", it helped" : ", it did not help";
  return [id, localTime(new Date(at)), (state === "begun" ? "interrupted" : state) + effect, what];
}

async function repairAll(context: CliContext, options: DoctorOptions): Promise<number> {
  const { out } = context;
  const seen = await seenHere(context.paths.feedback);
  const repaired = await repair({
    machine: () => machineOf(context, options),
    examine: (machine) => examine(machine, allLooks, seen),
    actions: actionsOf(context),
    ledger: new Ledger(context.paths.stateDir, () => context.clock.wall()),
    consent: (plan) => consent(context, plan, options),
    progress: (text) => out.progress(text),
    isDryRun: options.dryRun ?? false,
    interrupted: context.interrupted,
    only: chosenRepairs(options.fix),
  });
  const { after, machine, results } = repaired;
  if (options.json) {
    out.json({ ...examinationJson(after, allLooks.length), repairs: results });
    return exitOf(after);
  }
  for (const result of results) printResult(context, result);
  if (results.length === 0 && after.diagnosis.verdict !== "healthy") {
    out.line("There is nothing that can be repaired without you; what helps stands below.");
  }
  print(context, after, machine, options.verbose ?? false);
  return exitOf(after);
}

/** Says of each look that it is over: whoever shows a doctor's run shows how far it is. */
function toldOf({ out }: CliContext, looks: readonly Look[]): Look[] {
  let done = 0;
  const tell = (what: string) => out.progress(`${++done} of ${looks.length}: ${what}`);
  return looks.map((one) => ({
    ...one,
    look: (machine) => one.look(machine).finally(() => tell(one.what)),
  }));
}

/** Throws USAGE for a repair that there is not: what was meant must not silently be left out. */
function chosenRepairs(fix: DoctorOptions["fix"]): readonly string[] | undefined {
  if (typeof fix !== "string") return undefined;
  const ids = fix.split(",");
  const known = allRepairs.map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown === undefined) return ids;
  throw new ClawkitError(
    "USAGE",
    `--fix must name repairs, and ${JSON.stringify(unknown)} is none: ${known.join(", ")}`,
  );
}

/** What a command may do to processes. */
export function actionsOf(context: CliContext): Actions {
  return {
    startOwn: async () => void (await bringUp(context, await currentStatus(context))),
    restartOwn: async () => {
      await callControl(context.controlPath, { op: "restart", all: false }, (text) =>
        context.out.progress(text),
      );
    },
    endLeftovers: context.endLeftovers,
    signal: async ({ pid, startTime }, signal) => {
      // its pid may have become another process's since it was looked at
      const now = await context.host.process(pid);
      return now?.startTime === startTime && context.sendSignal(pid, signal);
    },
    launch: context.launch,
  };
}

function printResult({ out }: CliContext, result: RepairResult): void {
  const { what, risk, outcome, diff, error, helped, ledgerId } = result;
  const why = outcome === "declined" ? ` (${declinedNote(risk)})` : "";
  const undo = ledgerId === undefined ? "" : `  (undo: clawkit doctor undo ${ledgerId})`;
  out.line(`${outcomeOf(result)}: ${what}${why}${undo}${error === undefined ? "" : `: ${error}`}`);
  if (helped !== undefined) out.line(`  ${helped ? "it helped" : "it did not help"}`);
  if (outcome === "planned") for (const line of diff) out.line(`  ${line}`);
}

function outcomeOf({ outcome, isFallback }: RepairResult): string {
  if (outcome === "planned") return isFallback ? "only if that does not help" : "would";
  return { applied: "done", declined: "not done", failed: "failed" }[outcome];
}

function exitOf({ diagnosis }: Examination): number {
  return diagnosis.verdict === "healthy" ? 0 : 1;
}

function list({ out }: CliContext, { json }: DoctorOptions): number {
  const rows = allLooks.map(({ id, what }) => ({ id, what }));
  if (json) out.json(rows);
  else for (const line of tableLines(rows.map(({ id, what }) => [id, what]))) out.line(line);
  return 0;
}

function lookNamed(only: string): Look {
  const found = allLooks.find(({ id }) => id === only);
  if (found !== undefined) return found;
  const known = allLooks.map(({ id }) => id).join(", ");
  throw new ClawkitError("USAGE", `--only must be one of ${known}, not ${JSON.stringify(only)}`);
}

function print(context: CliContext, examination: Examination, machine: Machine, isVerbose: boolean): void {
  const { out } = context;
  const [verdict, meaning] = examinationHeadline(examination, machine.target);
  const isHealthy = examination.diagnosis.verdict === "healthy";
  out.line(out.style(isHealthy ? "green" : "bold", verdict));
  out.line(meaning);
  for (const { heading, text } of examinationLines(examination, machine.target, isVerbose)) {
    out.line(`  ${out.style("dim", heading.padEnd(13))}${text}`);
  }
}
