import type { Examination } from "./doctor.ts";
import type { Fact, Finding } from "./types.ts";

/** A heading of a playbook with what stands below it, up to the next one. */
export interface Section {
  readonly level: number;
  readonly heading: string;
  /** What it is about; empty for text that is about none in particular. */
  readonly causes: readonly string[];
  readonly lines: readonly PlaybookLine[];
}

export interface PlaybookLine {
  readonly kind: "text" | "code" | "evidence";
  readonly text: string;
}

/** Reads a playbook: Markdown with front matter, `<!-- causes: … -->` below headings, `>` for what the evidence says. */
export function parsePlaybook(markdown: string): Section[] {
  const body = markdown.replace(/^---\n[\s\S]*?\n---\n/, "");
  const sections: { level: number; heading: string; causes: string[]; lines: PlaybookLine[] }[] = [];
  let isCode = false;
  for (const line of body.split("\n")) {
    if (line.startsWith("```")) {
      isCode = !isCode;
      continue;
    }
    const heading = isCode ? null : /^(#+) (.*)$/.exec(line);
    if (heading !== null) {
      sections.push({ level: heading[1]!.length, heading: heading[2]!, causes: [], lines: [] });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) continue;
    const causes = isCode ? undefined : /^<!-- causes: (.*) -->$/.exec(line)?.[1];
    if (causes !== undefined) section.causes.push(...causes.split(", "));
    else if (isCode) section.lines.push({ kind: "code", text: line });
    else if (line.startsWith("> ")) section.lines.push({ kind: "evidence", text: plain(line.slice(2)) });
    else section.lines.push({ kind: "text", text: plain(line) });
  }
  return sections.map((section) => ({ ...section, lines: withoutDoubleBlanks(section.lines) }));
}

function plain(line: string): string {
  return line.replaceAll("**", "").replaceAll("`", "");
}

function withoutDoubleBlanks(lines: readonly PlaybookLine[]): PlaybookLine[] {
  const kept = lines.filter(
    ({ text, kind }, index) => kind === "code" || text !== "" || lines[index - 1]?.text !== "",
  );
  while (kept[0]?.text === "") kept.shift();
  while (kept.at(-1)?.text === "") kept.pop();
  return kept;
}

/** What an examination makes of a section: it is about what was found, about something else, or not decided. */
export type Relevance =
  | { readonly kind: "holds"; readonly finding: Finding }
  | { readonly kind: "ruled out"; readonly why: string }
  | { readonly kind: "open" };

export function relevanceOf(section: Section, { diagnosis }: Examination): Relevance {
  if (section.causes.length === 0) return { kind: "open" };
  const isHeld = ({ verdict }: Finding) => verdict === "confirmed" || verdict === "likely";
  if (diagnosis.verdict === "healthy") return { kind: "ruled out", why: "the gateway is served now" };
  const finding = diagnosis.causes.find((cause) => isHeld(cause) && section.causes.includes(cause.id));
  if (finding !== undefined) return { kind: "holds", finding };
  const best = diagnosis.causes.find(isHeld);
  if (best?.verdict !== "confirmed") return { kind: "open" };
  return { kind: "ruled out", why: `it is ${best.id} (confirmed)` };
}

/** Commands of the page that only look, and the facts that are their answer. */
const ANSWERS: readonly { command: RegExp; facts: RegExp }[] = [
  {
    command: /^(ps aux|tasklist)/,
    facts: /^(no-gateway-process|family-lives|gateway-defunct|process-stopped|ours-)/,
  },
  { command: /^(lsof -i |netstat -ano)/, facts: /^(port-|listens-elsewhere)/ },
  {
    command: /^openclaw gateway status/,
    facts: /^(healthz-ok|not-|connect-|http-silent|starting-up|tls-there)/,
  },
];

const OF_WINDOWS = /^(tasklist|netstat -ano)/;
const OF_OTHERS = /^(ps aux|lsof)/;

/** What was found that answers a command of the page; undefined for commands that do more than look. */
export function answersTo(
  command: string,
  facts: readonly Fact[],
  platform: NodeJS.Platform,
): string[] | undefined {
  if (OF_WINDOWS.test(command) ? platform !== "win32" : OF_OTHERS.test(command) && platform === "win32") {
    return undefined;
  }
  const answer = ANSWERS.find((one) => one.command.test(command));
  if (answer === undefined) return undefined;
  const found = facts.filter(({ id }) => answer.facts.test(id));
  return found.length === 0 ? ["nothing was found"] : found.map(({ detail }) => detail);
}
