import type { Examination } from "./doctor.ts";
import { isTypedOn, type PlaybookLine, type Section } from "./playbook.ts";
import type { Fact, Finding } from "./types.ts";

/** What an examination makes of a section: it is about what was found, about something else, or not decided. */
export type Relevance =
  | { readonly kind: "holds"; readonly finding: Finding }
  | { readonly kind: "ruled out"; readonly why: string }
  | { readonly kind: "open" };

export function relevanceOf(section: Section, { diagnosis }: Examination): Relevance {
  const { causes } = section;
  if (causes.length === 0) return { kind: "open" };
  const isHeld = ({ verdict }: Finding) => verdict === "confirmed" || verdict === "likely";
  // of a gateway that is well again it is what it was
  const finding = diagnosis.causes.find((cause) => isHeld(cause) && causes.includes(cause.id));
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

/** Commands of the pages that only look, and the facts that are their answer. */
const ANSWERS: readonly { command: RegExp; facts: RegExp }[] = [
  {
    command: /^(ps aux|tasklist|clawkit ps$|clawkit doctor --only processes$)/,
    facts: /^(no-gateway-process|family-lives|gateway-defunct|process-|ours-|files-used-up)/,
  },
  { command: /^(lsof -i |netstat -ano|clawkit port$)/, facts: /^(port-|listens-elsewhere)/ },
  {
    command: /^(openclaw|clawkit) gateway status/,
    facts: /^(healthz-ok|not-|connect-|http-silent|starting-up|tls-there)/,
  },
  {
    command: /^curl(\.exe)? \S+ \S+\/readyz$/,
    facts: /^(healthz-ok|not-|connect-|http-silent|starting-up|loop-degraded)/,
  },
  { command: /^clawkit connections --closed/, facts: /^clients-/ },
  { command: /^clawkit why$/, facts: /^(ended-|stopped-by-operator)/ },
  {
    command: /^(openclaw --version|which -a openclaw|where openclaw|Get-Command openclaw)/,
    facts: /^(openclaw-version|installs-several)/,
  },
  { command: /^clawkit doctor --only entry-points$/, facts: /^service-entry-/ },
  { command: /^clawkit doctor --only openclaw-logs$/, facts: /-said$/ },
  { command: /^clawkit doctor --only clock$/, facts: /^(host-slept|host-has-slept|clock-set)$/ },
];

/** What was found that answers a line of a page; undefined for what does more than look, or is another system's. */
export function answersTo(
  line: PlaybookLine,
  facts: readonly Fact[],
  platform: NodeJS.Platform,
): string[] | undefined {
  if (line.kind !== "code" || !isTypedOn(platform, line)) return undefined;
  const answer = ANSWERS.find((one) => one.command.test(line.text));
  if (answer === undefined) return undefined;
  const found = facts.filter(({ id }) => answer.facts.test(id));
  return found.length === 0 ? ["nothing was found"] : found.map(({ detail }) => detail);
}
