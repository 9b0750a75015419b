/** What stands at the top of a playbook. */
export interface FrontMatter {
  readonly code: number;
  readonly title: string;
  readonly causes: readonly string[];
}

export function frontMatterOf(markdown: string): FrontMatter {
  const [, text = ""] = FRONT_MATTER.exec(markdown) ?? [];
  const at = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    code: Number(at("code")),
    title: at("title"),
    causes: at("causes")
      .replace(/^\[|\]$/g, "")
      .split(", "),
  };
}

/** Everything that a playbook is about. */
export function causesOf(markdown: string): Set<string> {
  const ofSections = parsePlaybook(markdown).flatMap(({ causes }) => causes);
  return new Set([...frontMatterOf(markdown).causes, ...ofSections]);
}

const FRONT_MATTER = /^---\n([\s\S]*?)\n---\n/;

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
  /** Text and evidence are Markdown: bold, code and links. */
  readonly text: string;
  /** Of the first line of a block of code: what stands above it. */
  readonly title?: string;
  /** Where a line of code is typed, if not everywhere. */
  readonly shells?: readonly Shell[];
}

/** On Windows a command can be another one in cmd than in PowerShell. */
export type Shell = "macos" | "linux" | "cmd" | "powershell";

/** Reads a playbook: Markdown with front matter, `<!-- causes: … -->` below headings, `>` for what the evidence says. */
export function parsePlaybook(markdown: string): Section[] {
  const body = markdown.replace(FRONT_MATTER, "");
  const sections: { level: number; heading: string; causes: string[]; lines: PlaybookLine[] }[] = [];
  let isCode = false;
  let shells: readonly Shell[] | undefined;
  let title: string | undefined;
  for (const line of body.split("\n")) {
    if (line.startsWith("```")) {
      isCode = !isCode;
      shells = undefined;
      title = isCode ? /^```\w+ (.+)$/.exec(line)?.[1] : undefined;
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
    else if (isCode) {
      shells = line === "" ? undefined : (shellsNamedBy(line) ?? shells);
      section.lines.push({
        kind: "code",
        text: line,
        ...(shells === undefined ? {} : { shells }),
        ...(title === undefined ? {} : { title }),
      });
      title = undefined;
    } else if (line.startsWith("> ")) section.lines.push({ kind: "evidence", text: line.slice(2) });
    else section.lines.push({ kind: "text", text: line });
  }
  return sections.map((section) => ({ ...section, lines: withoutDoubleBlanks(section.lines) }));
}

/** The causes that a section is about: its own, or, of a part of one, those of the whole. */
export function causesAround(sections: readonly Section[], index: number): readonly string[] {
  const { level, causes } = sections[index]!;
  if (causes.length > 0) return causes;
  const around = sections.slice(0, index).findLastIndex((one) => one.level < level);
  return level <= 2 || around === -1 ? [] : causesAround(sections, around);
}

/** `# macOS / Linux` is about the lines below it, up to an empty line or the next of its kind. */
function shellsNamedBy(line: string): readonly Shell[] | undefined {
  const names = /^# ((?:macOS|Linux|Windows(?: cmd| PowerShell)?)(?: ?\/ ?(?:macOS|Linux))*)/.exec(line)?.[1];
  return names?.split(/ ?\/ ?/).flatMap((name) => SHELLS[name as keyof typeof SHELLS]);
}

const SHELLS = {
  macOS: ["macos"],
  Linux: ["linux"],
  Windows: ["cmd", "powershell"],
  "Windows cmd": ["cmd"],
  "Windows PowerShell": ["powershell"],
} as const satisfies Record<string, readonly Shell[]>;

/** Without marks, and without where links lead to in another playbook: they say nothing to a terminal. */
export function plainText(line: string): string {
  return line
    .replaceAll("**", "")
    .replaceAll("`", "")
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, text, target) =>
      target.startsWith("https:") ? `${text} (${target})` : text,
    );
}

function withoutDoubleBlanks(lines: readonly PlaybookLine[]): PlaybookLine[] {
  const kept = lines.filter(
    ({ text, kind }, index) => kind === "code" || text !== "" || lines[index - 1]?.text !== "",
  );
  while (kept[0]?.text === "") kept.shift();
  while (kept.at(-1)?.text === "") kept.pop();
  return kept;
}

/** Whether a line of code is for this platform. */
export function isTypedOn(platform: NodeJS.Platform, { shells }: PlaybookLine): boolean {
  if (shells === undefined) return true;
  if (platform === "win32") return shells.includes("cmd") || shells.includes("powershell");
  return shells.includes(platform === "darwin" ? "macos" : "linux");
}
