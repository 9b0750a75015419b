import type { Verdict } from "../core/causes.ts";
import type { Cause, Diagnosis, Fact, Finding, Together } from "./types.ts";

const ORDER: Readonly<Record<Finding["verdict"], number>> = {
  confirmed: 0,
  likely: 1,
  possible: 2,
  "ruled out": 3,
};

/** A program's own message says more than a symptom; chosen with the reports in view, 1.5 to 2.5 do the same. */
const WEIGHTS: Readonly<Record<NonNullable<Fact["weight"]>, number>> = {
  logged: 2,
  quoted: 2,
  told: 1,
  guessed: 0.5,
};

interface Weighed {
  readonly cause: Pick<Cause, "id" | "because" | "seen">;
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
  const weighed = causes.map((cause) => weigh(cause, known)).filter((one) => one !== undefined);
  const ordered = inOrder(weighed, seenHere);
  const best = ordered[0]?.verdict;
  const isOpen = best === undefined || best === "ruled out" || best === "possible";
  return { verdict: isOpen ? "inconclusive" : best, causes: ordered };
}

/** Findings of a while ago in the order that they have now: people have said since what was right. */
export function ranked(
  findings: readonly Finding[],
  causes: readonly Cause[],
  seenHere: ReadonlyMap<string, number>,
): readonly Finding[] {
  const weighed = findings.map((finding): Weighed => {
    const cause = causes.find(({ id }) => id === finding.id);
    return { cause: cause ?? { id: finding.id, seen: 0 }, finding };
  });
  return inOrder(weighed, seenHere);
}

function inOrder(weighed: readonly Weighed[], seenHere: ReadonlyMap<string, number>): Finding[] {
  const sorted = [...weighed].sort((a, b) => compare(a, b, seenHere));
  return rootsFirst(sorted).map(({ finding: { seenHere: _, ...finding } }) => {
    const count = seenHere.get(finding.id) ?? 0;
    return count === 0 ? finding : { ...finding, seenHere: count };
  });
}

function weigh(cause: Cause, known: ReadonlyMap<string, Fact>): Weighed | undefined {
  const { id, title, remedies } = cause;
  const against = (cause.ruledOutBy ?? [])
    .map((fact) => known.get(fact))
    .filter((fact) => fact !== undefined && fact.weight !== "guessed") as Fact[];
  const levels: [Verdict, readonly Together[] | undefined][] = [
    ["confirmed", cause.confirmedBy],
    ["likely", cause.likelyIf],
    ["possible", cause.possibleIf],
  ];
  const held: { verdict: Verdict; facts: readonly Fact[] }[] = [];
  for (const [level, groups] of levels) {
    for (const group of groups ?? []) {
      const facts = group.map((fact) => known.get(fact)).filter((fact) => fact !== undefined);
      if (facts.length === group.length) held.push({ verdict: atMost(level, facts), facts });
    }
  }
  const verdict = held.map((one) => one.verdict).sort((a, b) => ORDER[a] - ORDER[b])[0];
  if (verdict === undefined) return undefined;
  if (against.length > 0) {
    const strength = against.length;
    return {
      cause,
      finding: { id, title, verdict: "ruled out", evidence: against, remedies: [], strength },
    };
  }
  // what makes a cause only possible tells nothing between two that are likely
  const speaking = held.filter((one) => verdict === "possible" || one.verdict !== "possible");
  const strength = [...new Set(speaking.flatMap(({ facts }) => facts))].reduce(
    (sum, { weight }) => sum + (weight === undefined ? 1 : WEIGHTS[weight]),
    0,
  );
  const evidence = onceEach(held.flatMap(({ facts }) => facts));
  return { cause, finding: { id, title, verdict, evidence, remedies, strength } };
}

/** Each fact once, and a line of a text once, whatever it says. */
function onceEach(facts: readonly Fact[]): Fact[] {
  return facts.filter(
    ({ source, detail }, index) =>
      facts.findIndex((other) => other.source === source && other.detail === detail) === index,
  );
}

/** What a person guesses makes a cause possible, what a person tells makes it likely; a program's line may confirm it. */
function atMost(level: Verdict, facts: readonly Fact[]): Verdict {
  if (facts.some(({ weight }) => weight === "guessed")) return "possible";
  const isRecorded = facts.some(({ weight }) => weight === undefined || weight === "logged");
  return level === "confirmed" && !isRecorded ? "likely" : level;
}

function compare(a: Weighed, b: Weighed, seenHere: ReadonlyMap<string, number>): number {
  const here = ({ cause }: Weighed) => seenHere.get(cause.id) ?? 0;
  return (
    ORDER[a.finding.verdict] - ORDER[b.finding.verdict] ||
    (b.finding.strength ?? 0) - (a.finding.strength ?? 0) ||
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
