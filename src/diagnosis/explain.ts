import { allCauses } from "./causes/index.ts";
import { saidByOpenClaw } from "./facts/said-by-openclaw.ts";
import { saidBySystems } from "./facts/said-by-systems.ts";
import { readText } from "./facts/text.ts";
import { infer } from "./infer.ts";
import type { Diagnosis, Fact } from "./types.ts";

/** What a pasted error or log says about why a gateway is broken. */
export function explainText(text: string): Diagnosis & { readonly facts: readonly Fact[] } {
  const facts = readText(text, [...saidByOpenClaw, ...saidBySystems]);
  const diagnosis = infer(facts, allCauses);
  const isAboutGateway = facts.some(({ id }) => id === "about-gateway");
  return { ...(isAboutGateway ? diagnosis : onlyPossible(diagnosis)), facts };
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
