import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { withoutSecrets } from "../../core/secrets.ts";
import { aboutCause, creditedCause, saveFeedback } from "../../diagnosis/feedback.ts";
import { causesAround, causesOf, parsePlaybook, type Section } from "../../diagnosis/playbook.ts";
import { relevanceOf } from "../../diagnosis/playbook-here.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { stepFor } from "../../diagnosis/steps/index.ts";
import { ApiError } from "../api-error.ts";
import { readJson, textIn } from "../body.ts";
import type {
  DoctorReport,
  FeedbackTaken,
  Playbook,
  PlaybookList,
  PlaybookSection,
  StepResult,
} from "../contract.ts";
import type { ControlDeps } from "../deps.ts";
import { recordAction } from "../record-action.ts";
import type { Call, Route } from "../route.ts";
import { answerStep, examinationOf } from "../run-step.ts";

const ANSWERS = ["yes", "no", "partly"] as const;
const MAX_NOTE_BYTES = 2_000;

const ROOT_CAUSE = /^Root Cause \d+/;

export const playbookRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/playbooks",
    what: "the playbooks there are",
    handle: list,
  },
  {
    method: "GET",
    path: "/playbooks/:code",
    what: "one playbook in sections, with what the last run of the doctor makes of them",
    handle: playbook,
  },
  {
    method: "POST",
    path: "/playbooks/:code/run",
    what: "what a `step` that can run shows on this host, and what that means; one that changes something runs only with `confirm`",
    handle: runStep,
  },
  {
    method: "POST",
    path: "/feedback",
    what: "whether a `playbook` `solved` it (yes, no, partly), with a `note`: the doctor weighs it",
    handle: feedback,
  },
];

async function list({ deps }: Call): Promise<PlaybookList> {
  const names = await readdir(deps.playbooksDir).catch(() => []);
  const codes = names.flatMap((name) => /^(\d{4})\.md$/.exec(name)?.[1] ?? []).sort();
  const playbooks = await Promise.all(
    codes.map(async (code) => ({ code, title: (await sectionsOf(deps, code))[0]?.heading ?? code })),
  );
  return { apiVersion: 1, playbooks };
}

async function playbook({ deps, params, jobs }: Call): Promise<Playbook> {
  const code = params.code!;
  const last = jobs.last?.report;
  const all = await sectionsOf(deps, code);
  const sections = all.map((section, index): PlaybookSection => {
    const lines = section.lines.map((line, number) => {
      if (line.kind !== "code") return line;
      const how = stepFor(line, deps.platform);
      const needsConfirm = how?.kind === "changes";
      return {
        ...line,
        step: `${index}.${number}`,
        canRun: how !== undefined,
        ...(needsConfirm ? { needsConfirm } : {}),
      };
    });
    return { ...section, lines, relevance: relevance(all, index, last) };
  });
  return { apiVersion: 1, code, sections };
}

function relevance(
  sections: readonly Section[],
  index: number,
  last: DoctorReport | undefined,
): PlaybookSection["relevance"] {
  if (last === undefined) return { kind: "open", why: null };
  const told = relevanceOf({ causes: causesAround(sections, index) }, examinationOf(last));
  if (told.kind === "holds") return { kind: "holds", why: `${told.finding.id}, ${told.finding.verdict}` };
  return { kind: told.kind, why: told.kind === "ruled out" ? told.why : null };
}

async function runStep(call: Call): Promise<StepResult> {
  const { deps, params, jobs } = call;
  const body = await readJson(call.request);
  const step = textIn(body, "step", 20);
  const [index = -1, line = -1] = step.split(".").map(Number);
  const sections = await sectionsOf(deps, params.code!);
  const found = sections[index]?.lines[line];
  const how = found === undefined ? undefined : stepFor(found, deps.platform);
  if (found === undefined || how === undefined) {
    throw new ApiError("NOT_FOUND", `Step ${JSON.stringify(step)} is none that can run here`);
  }
  const answer = await answerStep(call, how, body.confirm === true);
  const isExamined = how.kind === "facts" || (how.kind === "own" && how.args[0] === "doctor");
  const decided = isExamined ? decisionOn(sections, index, jobs.last?.report) : "";
  return { apiVersion: 1, step, command: found.text, ...answer, means: answer.means + decided };
}

/** What was found may decide what the whole section is about. */
function decisionOn(sections: readonly Section[], index: number, last: DoctorReport | undefined): string {
  const { kind, why } = relevance(sections, index, last);
  const around = sections.slice(0, index + 1).findLast(({ heading }) => ROOT_CAUSE.test(heading));
  const name = ROOT_CAUSE.exec(around?.heading ?? "")?.[0];
  if (name === undefined || kind === "open") return "";
  return kind === "holds" ? ` ${name} holds (${why}).` : ` ${name} does not hold, as ${why}.`;
}

async function feedback({ deps, request, session, jobs }: Call): Promise<FeedbackTaken> {
  const body = await readJson(request);
  const playbook = textIn(body, "playbook", 10);
  const causes = causesOf(await textOf(deps, playbook));
  const solved = ANSWERS.find((word) => word === body.solved);
  if (solved === undefined) throw new ApiError("BAD_REQUEST", `solved must be one of ${ANSWERS.join(", ")}`);
  const note = body.note === undefined || body.note === "" ? undefined : textIn(body, "note", MAX_NOTE_BYTES);
  const now = deps.clock.wall();
  const repaired = await aboutCause(new Ledger(deps.stateDir, deps.clock.wall), now);
  const found = [...(jobs.last?.report.causes ?? []), ...jobs.lastExplained];
  const cause = creditedCause(causes, { repaired, found });
  await saveFeedback(deps.feedbackPath, {
    at: new Date(now).toISOString(),
    playbook,
    solved: solved === "partly" ? "partly" : solved === "yes",
    cause,
    ...(note === undefined ? {} : { note: withoutSecrets(note) }),
  });
  await recordAction(deps, session, `said of the playbook ${playbook} that it solved the problem: ${solved}`);
  return { ok: true, cause };
}

async function sectionsOf(deps: ControlDeps, code: string): Promise<Section[]> {
  return parsePlaybook(await textOf(deps, code));
}

async function textOf({ playbooksDir }: ControlDeps, code: string): Promise<string> {
  const text = /^\d{4}$/.test(code)
    ? await readFile(join(playbooksDir, `${code}.md`), "utf8").catch(() => undefined)
    : undefined;
  if (text === undefined) throw new ApiError("NOT_FOUND", `There is no playbook for ${JSON.stringify(code)}`);
  return text;
}
