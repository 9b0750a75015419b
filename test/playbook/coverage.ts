import type { Page } from "./page.ts";

/** One row of `docs/playbook-coverage.md`. */
export interface Row {
  readonly line: number;
  readonly text: string;
  readonly home: string;
  readonly state: string;
}

/** What the homes of the rows are looked up in. */
export interface Project {
  readonly hasFile: (path: string) => boolean;
  /** `command` as typed, such as `clawkit logs --follow`. */
  readonly hasCommand: (command: string) => boolean;
}

/** Issues that have not come yet, after the one that began the table. */
const FIRST_ISSUE = 3;
const LAST_ISSUE = 8;

/** The rows of the table, with the characters that Markdown escapes as they are. */
export function rowsOf(markdown: string): Row[] {
  const rows: Row[] = [];
  for (const line of markdown.split("\n")) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    if (!/^\d+$/.test(cells[1] ?? "")) continue;
    const [, number, text, home, state] = cells as [string, string, string, string, string];
    rows.push({ line: Number(number), text: text.replace(/^`(.*)`$/, "$1"), home, state });
  }
  return rows;
}

/** The names in backticks of a home: commands, and paths of files. */
export function namesIn(home: string): { commands: string[]; files: string[] } {
  const names = [...home.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
  return {
    commands: names.filter((name) => name.startsWith("clawkit ")),
    files: names.filter((name) => !name.startsWith("clawkit ") && name.includes("/")),
  };
}

/** The line that has to stand at the top. */
export function countsOf(rows: readonly Row[]): string {
  const covered = rows.filter((row) => row.state === "covered").length;
  const issues = new Map<string, number>();
  for (const { state } of rows) if (state !== "covered") issues.set(state, (issues.get(state) ?? 0) + 1);
  const parts = [...issues].sort().map(([issue, n]) => `${issue}: ${n}`);
  const toCome = rows.length - covered;
  const split = toCome === 0 ? "" : ` (${parts.join(", ")})`;
  return `${rows.length} lines: ${covered} covered, ${toCome} to come${split}.`;
}

/** What is wrong with the table, as sentences. */
export function problemsOf(page: Page, markdown: string, project: Project): string[] {
  const rows = rowsOf(markdown);
  const problems: string[] = [];
  for (const { number, text } of page.lines) {
    const mapped = rows.filter((row) => row.line === number).length;
    if (mapped === 0) problems.push(`line ${number} of the page has no row: ${text}`);
    if (mapped > 1) problems.push(`line ${number} of the page has ${mapped} rows`);
  }
  for (const row of rows) {
    const line = page.lines.find(({ number }) => number === row.line)?.text;
    if (line === undefined) problems.push(`row ${row.line} is not about a line of the page: ${row.text}`);
    else problems.push(...problemsOfRow(row, line, project));
  }
  const counts = countsOf(rows);
  if (!markdown.split("\n").includes(counts)) problems.push(`the counts are off; it must say: ${counts}`);
  return problems;
}

function problemsOfRow(row: Row, line: string, project: Project): string[] {
  const problems: string[] = [];
  const say = (text: string) => problems.push(`row ${row.line}: ${text}`);
  const isShortened = row.text.endsWith("…") && line.startsWith(row.text.slice(0, -1));
  if (row.text !== line && !isShortened) say(`the page says "${line}", not "${row.text}"`);

  const { commands, files } = namesIn(row.home);
  if (commands.length + files.length === 0) say("its home names no command and no file");
  const ours = line.startsWith("openclaw ") ? line.replace("openclaw", "clawkit") : undefined;
  if (ours !== undefined && !commands.includes(ours)) say(`the home of this command is \`${ours}\``);

  const issue = /^issue (\d+)$/.exec(row.state)?.[1];
  if (issue !== undefined) {
    // what an issue will bring need not be there
    if (Number(issue) < FIRST_ISSUE || Number(issue) > LAST_ISSUE) say(`there is no ${row.state} to come`);
    return problems;
  }
  if (row.state !== "covered") {
    say(`its state is neither "covered" nor an issue: ${row.state}`);
    return problems;
  }
  if (!files.some((path) => path.endsWith(".test.ts"))) say("it is covered, and no test is named");
  for (const path of files) if (!project.hasFile(path)) say(`there is no file ${path}`);
  for (const command of commands) if (!project.hasCommand(command)) say(`there is no command ${command}`);
  return problems;
}
