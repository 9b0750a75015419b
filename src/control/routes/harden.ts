import { ApiError } from "../api-error.ts";
import { readJson, textIn } from "../body.ts";
import type { Hardening } from "../contract.ts";
import { recordAction } from "../record-action.ts";
import type { Call, Route } from "../route.ts";
import { idsOf } from "./doctor.ts";

export const hardenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/harden",
    what: "what to change before it breaks again, each with reason and exact diff",
    handle: async ({ jobs }) => ({ apiVersion: 1, ...(await jobs.json(["harden", "--json"])) }),
  },
  {
    method: "POST",
    path: "/harden/apply",
    what: "make the changes named in `ids`; events as of the doctor",
    handle: apply,
  },
  {
    method: "POST",
    path: "/harden/undo",
    what: "take the change with this `id` back",
    handle: undo,
  },
];

async function apply(call: Call): Promise<undefined> {
  const { jobs, deps, session } = call;
  const ids = idsOf((await readJson(call.request)).ids);
  if (ids.length === 0) throw new ApiError("BAD_REQUEST", "ids must name what is to be changed");
  const job = jobs.start(["harden", "--apply", ids.join(","), "--yes"]);
  await recordAction(deps, session, `asked for the change ${ids.join(", ")}`);
  const result = (await jobs.follow(call, job)) as Hardening | undefined;
  for (const { id, outcome, undo: ledgerId } of result?.advice ?? []) {
    if (outcome !== undefined)
      await recordAction(
        deps,
        session,
        `change ${id}: ${outcome}${ledgerId === undefined ? "" : `, undo with ${ledgerId}`}`,
      );
  }
  return undefined;
}

async function undo({ jobs, deps, session, request }: Call): Promise<object> {
  const id = textIn(await readJson(request), "id", 60);
  const entry = await jobs.start(["doctor", "undo", id]).result;
  await recordAction(deps, session, `took ${id} back`);
  return { apiVersion: 1, entry };
}
