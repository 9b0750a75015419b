import type { Examination } from "./doctor.ts";
import type { PlaybookLine, Section } from "./playbook.ts";
import { stepFor } from "./steps/index.ts";
import { sentence } from "./steps/sentence.ts";
import type { FactStep, StepAnswer } from "./steps/types.ts";
import type { Finding } from "./types.ts";

/** What an examination makes of a section: it is about what was found, about something else, or not decided. */
export type Relevance =
  | { readonly kind: "holds"; readonly finding: Finding }
  | { readonly kind: "ruled out"; readonly why: string }
  | { readonly kind: "open" };

export function relevanceOf(
  { causes }: Pick<Section, "causes">,
  { diagnosis }: Pick<Examination, "diagnosis">,
): Relevance {
  if (causes.length === 0) return { kind: "open" };
  const isHeld = ({ verdict }: Finding) => verdict === "confirmed" || verdict === "likely";
  // of a gateway that is well again it is what it was
  // of a container any end is what a section about containers is about
  const isOfContainers = causes.some((id) => id.startsWith("docker-"));
  const isAbout = ({ id, evidence }: Finding) =>
    causes.includes(id) || (isOfContainers && evidence.some(({ source }) => source.startsWith("docker ")));
  const finding = diagnosis.causes.find((cause) => isHeld(cause) && isAbout(cause));
  if (finding !== undefined) return { kind: "holds", finding };
  if (diagnosis.verdict === "healthy") {
    if (causes.some((id) => OF_SINGLE_CLIENTS.has(id))) return { kind: "open" };
    return { kind: "ruled out", why: "the gateway is served now" };
  }
  const best = diagnosis.causes.find(isHeld);
  if (best?.verdict !== "confirmed") return { kind: "open" };
  return { kind: "ruled out", why: `it is ${best.id} (confirmed)` };
}

/** What one client can have while the gateway serves all others: that it answers here says nothing about these. */
export const OF_SINGLE_CLIENTS: ReadonlySet<string> = new Set([
  "client-reset",
  "client-unreachable",
  "client-went-away",
  "connection-burst",
  "connection-reset-mid-request",
  "host-sleep",
  "idle-drop-no-keepalive",
  "network-drop",
  "pairing-or-auth-rejected",
  "payload-too-large",
  "protocol-mismatch",
  "proxy-captures-loopback",
  "refused-by-edge",
  "reverse-proxy",
  "stale-process-after-update",
  "stale-service-entrypoint",
  "tls-mismatch",
  "wrong-url-or-port",
]);

/** What was found that answers a line of a page; undefined for one that is answered otherwise, or not at all. */
export function answersTo(
  line: PlaybookLine,
  examination: Pick<Examination, "facts" | "notLooked">,
  platform: NodeJS.Platform,
): StepAnswer | undefined {
  const step = stepFor(line, platform);
  if (step?.kind === "facts") return answerOf(step, examination);
  if (step?.kind !== "own" || step.facts === undefined) return undefined;
  const found = examination.facts.filter(({ id }) => step.facts!.test(id)).map(({ detail }) => detail);
  return found.length === 0 ? undefined : { found, means: `More of it shows ${line.text}.` };
}

export function answerOf(
  step: FactStep,
  { facts, notLooked }: Pick<Examination, "facts" | "notLooked">,
): StepAnswer {
  const answer = step.tell(facts);
  const missing = notLooked.find(({ id }) => step.looks.includes(id));
  if (missing === undefined || step.isTold(facts)) return answer;
  const means = `it could not be looked at (${missing.why}), which is not the same as finding nothing`;
  return { ...answer, means: sentence(means) };
}
