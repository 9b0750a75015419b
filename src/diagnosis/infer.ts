import type { Verdict } from "../core/causes.ts";
import type { Cause, Diagnosis, Fact, Finding, Together } from "./types.ts";

const ORDER: Readonly<Record<Finding["verdict"], number>> = {
  confirmed: 0,
  likely: 1,
  possible: 2,
  "ruled out": 3,
};

interface Weighed {
  readonly cause: Cause;
  readonly finding: Finding;
}

/**
 * Says what the facts make of the causes: verdict first, then how many facts speak for it, then how often it was
 * right, on this machine before (`seenHere`), and in the field. A cause that is there because of another one that holds too comes behind it.
 */
export function infer(
  facts: readonly Fact[],
  causes: readonly Cause[],
  seenHere: ReadonlyMap<string, number> = new Map(),
): Diagnosis {
  const known = new Map<string, Fact>();
  for (const fact of facts) if (!known.has(fact.id)) known.set(fact.id, fact);
  const weighed = causes
    .map((cause) => ({ cause, finding: weigh(cause, known) }))
    .filter((one): one is Weighed => one.finding !== undefined)
    .sort((a, b) => compare(a, b, seenHere));
  const ordered = rootsFirst(weighed).map(({ finding }) => finding);
  const best = ordered[0]?.verdict;
  const isOpen = best === undefined || best === "ruled out" || best === "possible";
  return { verdict: isOpen ? "inconclusive" : best, causes: ordered };
}

function weigh(cause: Cause, known: ReadonlyMap<string, Fact>): Finding | undefined {
  const { id, title, remedies } = cause;
  const against = cause.ruledOutBy?.map((fact) => known.get(fact)).filter((fact) => fact !== undefined) ?? [];
  const levels: [Verdict, readonly Together[] | undefined][] = [
    ["confirmed", cause.confirmedBy],
    ["likely", cause.likelyIf],
    ["possible", cause.possibleIf],
  ];
  const evidence = new Set<Fact>();
  let verdict: Verdict | undefined;
  for (const [level, groups] of levels) {
    for (const group of groups ?? []) {
      if (!group.every((fact) => known.has(fact))) continue;
      verdict ??= level;
      for (const fact of group) evidence.add(known.get(fact)!);
    }
  }
  if (verdict === undefined) return undefined;
  if (against.length > 0) return { id, title, verdict: "ruled out", evidence: against, remedies: [] };
  return { id, title, verdict, evidence: [...evidence], remedies };
}

function compare(a: Weighed, b: Weighed, seenHere: ReadonlyMap<string, number>): number {
  const here = ({ cause }: Weighed) => seenHere.get(cause.id) ?? 0;
  return (
    ORDER[a.finding.verdict] - ORDER[b.finding.verdict] ||
    b.finding.evidence.length - a.finding.evidence.length ||
    here(b) - here(a) ||
    b.cause.seen - a.cause.seen
  );
}

/** Moves a cause behind the one it is there because of, if that holds at least as surely as `likely`. */
function rootsFirst(weighed: readonly Weighed[]): Weighed[] {
  const holds = (one: Weighed) => ORDER[one.finding.verdict] <= ORDER.likely;
  const result = [...weighed];
  for (const one of weighed) {
    if (!holds(one)) continue;
    const roots = result.filter((other) => holds(other) && one.cause.because?.includes(other.cause.id));
    for (const root of roots) {
      const from = result.indexOf(root);
      const to = result.indexOf(one);
      if (from > to) result.splice(to, 0, ...result.splice(from, 1));
    }
  }
  return result;
}
