import { allCauses } from "../../diagnosis/causes/index.ts";
import { seenHere } from "../../diagnosis/feedback.ts";
import { ranked } from "../../diagnosis/infer.ts";
import { isUndoable, Ledger } from "../../diagnosis/remedies/ledger.ts";
import { ApiError } from "../api-error.ts";
import { readJson, textIn } from "../body.ts";
import type { DoctorReport, LastDoctor, RepairLog } from "../contract.ts";
import { recordAction } from "../record-action.ts";
import type { Call, Route } from "../route.ts";

/** Ids of repairs, as our own code names them. */
const ID = /^[\w-]{1,60}$/;

export const doctorRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/doctor",
    what: "the last result, in the order that the answers to the playbooks' question give it by now, and whether it is running",
    handle: last,
  },
  {
    method: "POST",
    path: "/doctor",
    what: "look at this machine; events `progress`, then `result` (what `clawkit doctor --json` prints) or `failure`",
    handle: run,
  },
  {
    method: "POST",
    path: "/doctor/fix",
    what: "make the repairs named in `ids`, or with `dryRun` show what would be made; events as above",
    handle: fix,
  },
  {
    method: "GET",
    path: "/doctor/repairs",
    what: "what was changed here, newest first, and what of it can be taken back",
    handle: repairs,
  },
  {
    method: "POST",
    path: "/doctor/undo",
    what: "take the repair or change with this `id` back",
    handle: undo,
  },
];

async function last({ jobs, deps }: Call): Promise<LastDoctor> {
  const { isRunning } = jobs;
  if (jobs.last === null) return { apiVersion: 1, last: null, isRunning };
  const { at, report } = jobs.last;
  // somebody may have said since what was right
  const causes = ranked(report.causes, allCauses, await seenHere(deps.feedbackPath));
  return { apiVersion: 1, last: { at, report: { ...report, causes } }, isRunning };
}

async function run(call: Call): Promise<undefined> {
  const { jobs } = call;
  const job = jobs.start(["doctor", "--verbose"]);
  const report = await jobs.follow(call, job);
  if (report !== undefined) jobs.remember(report as DoctorReport);
  return undefined;
}

async function fix(call: Call): Promise<undefined> {
  const { jobs, deps, session } = call;
  const { ids: given = [], dryRun = false } = await readJson(call.request);
  const ids = idsOf(given);
  if (dryRun === true) {
    const named = ids.length === 0 ? [] : [ids.join(",")];
    const args = ["doctor", "--fix", ...named, "--dry-run"];
    await jobs.follow(call, jobs.start(args));
    return undefined;
  }
  if (ids.length === 0)
    throw new ApiError("BAD_REQUEST", "ids must name what is to be repaired: a dry run does");
  // who presses the button for this very repair has been asked
  const job = jobs.start(["doctor", "--fix", ids.join(","), "--yes"]);
  await recordAction(deps, session, `asked for the repair ${ids.join(", ")}`);
  const report = (await jobs.follow(call, job)) as DoctorReport | undefined;
  if (report !== undefined) jobs.remember(report);
  for (const { id, outcome, ledgerId } of report?.repairs ?? []) {
    await recordAction(
      deps,
      session,
      `repair ${id}: ${outcome}${ledgerId === undefined ? "" : `, undo with ${ledgerId}`}`,
    );
  }
  return undefined;
}

const MAX_REPAIRS = 50;

async function repairs({ deps }: Call): Promise<RepairLog> {
  const entries = await new Ledger(deps.stateDir, deps.clock.wall).entries();
  const made = entries.filter(({ repair }) => repair !== "undo").slice(0, MAX_REPAIRS);
  return {
    apiVersion: 1,
    repairs: made.map((entry) => ({
      id: entry.id,
      what: entry.what,
      at: Date.parse(entry.at),
      state: entry.state,
      helped: entry.helped ?? null,
      canUndo: isUndoable(entry) && entry.undoneBy === undefined,
      undoneBy: entry.undoneBy ?? null,
    })),
  };
}

async function undo({ jobs, deps, session, request }: Call): Promise<object> {
  const id = textIn(await readJson(request), "id", 60);
  if (!ID.test(id)) throw new ApiError("BAD_REQUEST", "id must be that of a repair, such as r-mg3k2-0a1b2c");
  const entry = await jobs.start(["doctor", "undo", id]).result;
  await recordAction(deps, session, `took ${id} back`);
  return { apiVersion: 1, entry };
}

/** Names of a list of the body. Throws BAD_REQUEST. */
export function idsOf(given: unknown): string[] {
  if (
    Array.isArray(given) &&
    given.length <= 20 &&
    given.every((id) => typeof id === "string" && ID.test(id))
  ) {
    return given as string[];
  }
  throw new ApiError("BAD_REQUEST", "ids must be a list of up to 20 ids");
}
