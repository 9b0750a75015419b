import { allCauses } from "./causes/index.ts";
import type { Examination } from "./doctor.ts";
import { infer } from "./infer.ts";
import { type Look, lookAt, type Machine } from "./machine.ts";
import { placed } from "./place.ts";
import type { Cause, Diagnosis, NotLooked } from "./types.ts";

/** What a single look can say: `doctor --only <id>`. It is never surer than its own facts allow. */
export async function examineOnly(
  machine: Machine,
  look: Look,
  seenHere: ReadonlyMap<string, number> = new Map(),
): Promise<Examination> {
  const { facts, notLooked } = await lookAt(machine, [look]);
  const causes = allCauses.map((cause) => placed(possibleByItself(cause), machine.target, facts));
  const diagnosis = verdictOf(infer(facts, causes, seenHere), notLooked);
  return { diagnosis, facts, notLooked, only: look.what };
}

/** Of facts that tell something together, the first may stand alone: nobody looked for the others. */
function possibleByItself(cause: Cause): Cause {
  const { confirmedBy = [], likelyIf = [], possibleIf = [] } = cause;
  const firsts = [...confirmedBy, ...likelyIf].map((group) => group.slice(0, 1));
  return { ...cause, possibleIf: [...possibleIf, ...firsts] };
}

function verdictOf({ causes }: Diagnosis, notLooked: readonly NotLooked[]): Diagnosis {
  const best = causes.find(({ verdict }) => verdict !== "ruled out")?.verdict;
  const nothing = notLooked.length === 0 ? "healthy" : "inconclusive";
  return { verdict: best === undefined || best === "ruled out" ? nothing : best, causes };
}
