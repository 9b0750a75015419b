import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClawkitError, messageOf } from "../../core/errors.ts";
import { type Examination, examine } from "../../diagnosis/doctor.ts";
import { aboutCause, creditedCause, saveFeedback, seenHere } from "../../diagnosis/feedback.ts";
import { examinationHeadline } from "../../diagnosis/machine-report.ts";
import {
  causesOf,
  frontMatterOf,
  type PlaybookLine,
  parsePlaybook,
  plainText,
  type Section,
} from "../../diagnosis/playbook.ts";
import { answersTo, relevanceOf } from "../../diagnosis/playbook-here.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";

export interface PlaybookOptions {
  readonly run?: boolean;
  readonly answer?: string;
}

/** The page that this project began with. */
const FIRST = "1006";

/** `clawkit playbook 1006`: the page in the terminal; with `--run` beside what was found here. Alone: which there are. */
export async function playbook(
  context: CliContext,
  name: string | undefined,
  options: PlaybookOptions,
): Promise<number> {
  const isList = name === undefined && options.run !== true && options.answer === undefined;
  if (isList) return await list(context);
  const code = name ?? FIRST;
  const sections = parsePlaybook(await textOf(context, code));
  if (options.answer !== undefined) return await answer(context, code, options.answer);
  const examination = options.run === true ? await look(context) : undefined;
  for (const section of sections) print(context, section, examination);
  await askWhetherSolved(context, code, examination);
  return 0;
}

async function list(context: CliContext): Promise<number> {
  const { out, name } = context;
  for (const code of await codes(context)) {
    out.line(`${code}  ${frontMatterOf(await textOf(context, code)).title}`);
  }
  out.line(`Read one with: ${name} playbook ${FIRST}   (--run: beside what is found on this machine)`);
  return 0;
}

/** Of the playbooks there are, ascending. */
async function codes({ playbooksDir }: CliContext): Promise<string[]> {
  const names = await readdir(playbooksDir);
  return names.flatMap((name) => /^(\d{4})\.md$/.exec(name)?.[1] ?? []).sort();
}

async function textOf(context: CliContext, code: string): Promise<string> {
  if (!/^\d{4}$/.test(code)) {
    throw new ClawkitError("USAGE", `A playbook has the number of a close code, not ${JSON.stringify(code)}`);
  }
  try {
    return await readFile(join(context.playbooksDir, `${code}.md`), "utf8");
  } catch (cause) {
    const there = (await codes(context)).join(", ");
    throw new ClawkitError(
      "USAGE",
      `There is no playbook for ${code}: there are ${there} (${messageOf(cause)})`,
      {
        cause,
      },
    );
  }
}

async function look(context: CliContext): Promise<Examination> {
  context.out.progress("looking at this machine");
  const machine = await machineOf(context);
  const examination = await examine(machine, undefined, await seenHere(context.paths.feedback));
  const [verdict, meaning] = examinationHeadline(examination, machine.target);
  context.out.line(context.out.style("bold", `Here: ${verdict}`));
  context.out.line(meaning);
  context.out.line();
  return examination;
}

function print({ out, platform }: CliContext, section: Section, examination: Examination | undefined): void {
  const relevance = examination === undefined ? { kind: "open" as const } : relevanceOf(section, examination);
  const isOut = relevance.kind === "ruled out";
  const heading = `${"#".repeat(section.level)} ${section.heading}`;
  const note =
    relevance.kind === "holds"
      ? `  ← ${relevance.finding.id}, ${relevance.finding.verdict}`
      : isOut
        ? `  (not here: ${relevance.why})`
        : "";
  out.line(out.style(isOut ? "dim" : "bold", heading + note));
  for (const line of section.lines) {
    out.line(isOut ? out.style("dim", render(line)) : render(line));
    if (examination === undefined || isOut) continue;
    const answer = answersTo(line, examination, platform);
    for (const text of answer === undefined ? [] : [...answer.found, answer.means]) {
      out.line(`      ${out.style("green", "→")} ${text}`);
    }
  }
  out.line();
}

function render({ kind, text }: PlaybookLine): string {
  if (kind === "code") return `    ${text}`;
  return kind === "evidence" ? `  | ${plainText(text)}` : plainText(text);
}

async function askWhetherSolved(
  context: CliContext,
  code: string,
  examination: Examination | undefined,
): Promise<void> {
  if (!context.out.isTerminal || context.stdin.isTTY !== true) {
    context.out.line(`Say so with: ${context.name} playbook ${code} --answer yes   (or no)`);
    return;
  }
  const solved = await context.ask("Did it?");
  await remember(context, code, solved, examination);
}

async function answer(context: CliContext, code: string, text: string): Promise<number> {
  if (text !== "yes" && text !== "no") {
    throw new ClawkitError("USAGE", `--answer must be yes or no, not ${JSON.stringify(text)}`);
  }
  await remember(context, code, text === "yes", await examine(await machineOf(context)));
  return 0;
}

async function remember(
  context: CliContext,
  code: string,
  solved: boolean,
  examination: Examination | undefined,
): Promise<void> {
  const { paths, clock, out } = context;
  // what was wrong is what was repaired, or what is on record
  const repaired = await aboutCause(new Ledger(paths.stateDir, () => clock.wall()), clock.wall());
  const found = examination?.diagnosis.causes ?? [];
  await saveFeedback(paths.feedback, {
    at: new Date(clock.wall()).toISOString(),
    playbook: code,
    solved,
    cause: creditedCause(causesOf(await textOf(context, code)), { repaired, found }),
  });
  out.line("Thank you: it is kept on this machine, and the doctor will weigh it.");
}
