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
  readonly cause: Cause;
  readonly finding: Finding;
  /** How much speaks for the verdict: the facts, each with its weight. */
  readonly strength: number;
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
    .map((cause) => weigh(cause, known))
    .filter((one) => one !== undefined)
    .sort((a, b) => compare(a, b, seenHere));
  const ordered = rootsFirst(weighed).map(({ finding }) => finding);
  const best = ordered[0]?.verdict;
  const isOpen = best === undefined || best === "ruled out" || best === "possible";
  return { verdict: isOpen ? "inconclusive" : best, causes: ordered };
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
    const finding: Finding = { id, title, verdict: "ruled out", evidence: against, remedies: [] };
    return { cause, finding, strength: against.length };
  }
  // what makes a cause only possible tells nothing between two that are likely
  const speaking = held.filter((one) => verdict === "possible" || one.verdict !== "possible");
  const strength = [...new Set(speaking.flatMap(({ facts }) => facts))].reduce(
    (sum, { weight }) => sum + (weight === undefined ? 1 : WEIGHTS[weight]),
    0,
  );
  const evidence = onceEach(held.flatMap(({ facts }) => facts));
  return { cause, finding: { id, title, verdict, evidence, remedies }, strength };
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
    b.strength - a.strength ||
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
