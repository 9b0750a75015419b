import { parseArgs } from "node:util";
import { summarize } from "../bench/lib/statistics.ts";
import { formatNumber, markdownTable } from "../bench/lib/table.ts";
import type { Fault } from "../test/faults/fault.ts";
import { allFaults } from "../test/faults/index.ts";
import { installOpenclaw } from "../test/faults/openclaw-install.ts";
import { endTrials, type Outcome, type Trial, tryFault } from "../test/faults/trial.ts";

// npm run faults [-- --only <id>] [--on clawkit|docker|openclaw] [--json]: breaks real gateways and asks the doctor.

/** Whoever was repaired must stay so for this long; all are watched in the same window. */
const WATCH_MS = 30_000;

const RIGHT_SHARE = 0.95;

/** Of an error, what fits into a table. */
const MAX_ERROR_CHARS = 300;

/** What is in the table: an outcome, why there is none, and whether a repair lasted. */
interface Row {
  readonly fault: Fault;
  outcome?: Outcome;
  error?: string;
  skipped?: string;
  isLasting?: boolean;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    on: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const faults = allFaults.filter(
  ({ id, on }) => (values.only?.includes(id) ?? true) && (values.on === undefined || values.on === on),
);
if (faults.length === 0) {
  const known = allFaults.map(({ id }) => id).join(", ");
  console.error(`No such fault: known are ${known}`);
  process.exit(2);
}
if (faults.some(({ on }) => on === "openclaw")) installOpenclaw(progress);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void endTrials().finally(() => process.exit(130)));
}

// those that live on to the end of the window come last: they are in nobody's way
const ordered = [...faults].sort((a, b) => Number(a.isFixable) - Number(b.isFixable));
const trials: [Row, Trial][] = [];
const rows: Row[] = [];
for (const [index, fault] of ordered.entries()) {
  progress(`${index + 1}/${ordered.length} ${fault.id}: ${fault.title}`);
  rows.push(await run(fault));
}
await watch();
const code = report();
await endTrials();
process.exit(code);

async function run(fault: Fault): Promise<Row> {
  const row: Row = { fault };
  const why = fault.needs?.() ?? false;
  if (why !== false) return { ...row, skipped: why };
  try {
    const trial = await tryFault(fault, { fix: true });
    row.outcome = trial.outcome;
    if (trial.outcome.repair?.recoveredMs === undefined) await trial[Symbol.asyncDispose]();
    else {
      trials.push([row, trial]);
    }
  } catch (error) {
    row.error = error instanceof Error ? error.message : String(error);
  }
  progress(`    ${said(row)}${row.outcome?.repair === undefined ? "" : `, ${repairOf(row)}`}`);
  return row;
}

/** All that were repaired must still be healthy at the end of one window. */
async function watch(): Promise<void> {
  if (trials.length === 0) return;
  progress(`watching the ${trials.length} that were repaired for ${WATCH_MS / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  for (const [row, { examine }] of trials) {
    const again = await examine().catch(() => undefined);
    row.isLasting = again?.ok === true;
    if (!row.isLasting)
      progress(`${row.fault.id} is not healthy any more: ${JSON.stringify(again?.causes[0])}`);
  }
}

function report(): number {
  const tried = rows.filter(({ skipped }) => skipped === undefined);
  const right = tried.filter(({ outcome }) => outcome?.isRight);
  const wrong = tried.filter(({ outcome }) => (outcome?.wronglyConfirmed.length ?? 0) > 0);
  const wrongFirst = wrong.filter(
    ({ outcome }) => !outcome!.isRight && outcome!.first?.verdict === "confirmed",
  );
  const fixable = tried.filter(({ fault }) => fault.isFixable);
  const fixed = fixable.filter(({ isLasting }) => isLasting);
  const median = summarize(tried.map(({ outcome }) => outcome?.doctorMs))?.median;
  if (values.json) {
    const sums = { tried: tried.length, right: right.length, wrongConfirmed: wrong.length, medianMs: median };
    console.log(JSON.stringify({ ...sums, fixable: fixable.length, fixed: fixed.length, rows }, null, 2));
  } else {
    const head = ["fault", "on", "verdict given", "right", "doctor, ms", "fixed", "recovered, s"];
    console.log(markdownTable(head, rows.map(cellsOf)));
    console.log(
      `\nright ${right.length} of ${tried.length}; wrongly confirmed first ${wrongFirst.length}, at all ${wrong.length}; ` +
        `fixed and still so after ${WATCH_MS / 1000} s ${fixed.length} of ${fixable.length}; ` +
        `doctor's median ${formatNumber(median ?? 0)} ms`,
    );
  }
  const isGood =
    right.length >= RIGHT_SHARE * tried.length && wrong.length === 0 && fixed.length === fixable.length;
  return isGood ? 0 : 1;
}

function cellsOf(row: Row): string[] {
  const { fault, outcome, skipped } = row;
  const verdict = skipped === undefined ? said(row) : `not run: ${skipped}`;
  const isRight = outcome === undefined ? "" : outcome.isRight ? "right" : "wrong";
  const ms = outcome === undefined ? "" : formatNumber(outcome.doctorMs);
  const recovered = outcome?.repair?.recoveredMs;
  const seconds = recovered === undefined ? "" : formatNumber(recovered / 1000, 1);
  return [fault.id, fault.on, verdict, isRight, ms, repairOf(row), seconds];
}

function said({ outcome, error }: Row): string {
  if (outcome === undefined) return `failed: ${error?.slice(0, MAX_ERROR_CHARS)}`;
  const { verdict, first, isRight, expected, wronglyConfirmed } = outcome;
  const given =
    verdict === "healthy" ? "healthy" : `${first?.id ?? "nothing"} (${first?.verdict ?? verdict})`;
  const wanted = isRight ? "" : `, not ${expected.join(" or ")}`;
  const wrong = wronglyConfirmed.length === 0 ? "" : `, wrongly sure of ${wronglyConfirmed.join(", ")}`;
  return given + wanted + wrong;
}

function repairOf({ fault, outcome, isLasting }: Row): string {
  if (!fault.isFixable || outcome === undefined) return "";
  if (outcome.repair?.recoveredMs === undefined) return "not fixed";
  return isLasting === false ? "not for long" : "fixed";
}

function progress(text: string): void {
  console.error(text);
}
