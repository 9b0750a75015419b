import { withoutSecrets } from "../core/secrets.ts";
import { allCauses } from "./causes/index.ts";
import { readPasted } from "./facts/pasted.ts";
import { saidByOpenClaw } from "./facts/said-by-openclaw.ts";
import { saidByPeople } from "./facts/said-by-people.ts";
import { saidBySystems } from "./facts/said-by-systems.ts";
import { saidOfSurroundings } from "./facts/said-of-surroundings.ts";
import type { TextRule } from "./facts/text.ts";
import { infer } from "./infer.ts";
import { placed, USUAL_PLACE } from "./place.ts";
import type { Diagnosis, Fact } from "./types.ts";

/** Everything that a text may say. */
export const textRules: readonly TextRule[] = [
  ...saidByOpenClaw,
  ...saidBySystems,
  ...saidByPeople,
  ...saidOfSurroundings,
];

/** What a pasted error or log says about why a gateway is broken; `seenHere` as of `infer`. */
export function explainText(
  text: string,
  seenHere: ReadonlyMap<string, number> = new Map(),
): Diagnosis & { readonly facts: readonly Fact[] } {
  const facts = readPasted(text, textRules).map((fact) => ({ ...fact, detail: withoutSecrets(fact.detail) }));
  return { ...explainFacts(facts, seenHere), facts };
}

/** What the facts of a text make of the causes. */
export function explainFacts(
  facts: readonly Fact[],
  seenHere: ReadonlyMap<string, number> = new Map(),
): Diagnosis {
  const diagnosis = infer(
    facts,
    allCauses.map((cause) => placed(cause, USUAL_PLACE)),
    seenHere,
  );
  const isAboutGateway = facts.some(({ id }) => id === "about-gateway");
  return isAboutGateway ? diagnosis : onlyPossible(diagnosis);
}

/** `EADDRINUSE` in the log of some other program says nothing about a gateway. */
function onlyPossible({ causes }: Diagnosis): Diagnosis {
  return {
    verdict: "inconclusive",
    causes: causes.map((cause) =>
      cause.verdict === "ruled out" ? cause : { ...cause, verdict: "possible" },
    ),
  };
}
