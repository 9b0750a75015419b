import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { withoutSecrets } from "../../core/secrets.ts";
import type { Examination } from "../../diagnosis/doctor.ts";
import { aboutCause, saveFeedback } from "../../diagnosis/feedback.ts";
import { parsePlaybook, type Section } from "../../diagnosis/playbook.ts";
import { answersTo, relevanceOf } from "../../diagnosis/playbook-here.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { ApiError } from "../api-error.ts";
import { readJson, textIn } from "../body.ts";
import type { DoctorReport, Playbook, PlaybookList, PlaybookSection, StepResult } from "../contract.ts";
import type { ControlDeps } from "../deps.ts";
import { recordAction } from "../record-action.ts";
import type { Call, Route } from "../route.ts";

const ANSWERS = ["yes", "no", "partly"] as const;
const MAX_NOTE_BYTES = 2_000;

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
    what: "look for what a `step` that can run would show on this host",
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
  const sections = (await sectionsOf(deps, code)).map((section, index): PlaybookSection => {
    const lines = section.lines.map((line, number) => {
      if (line.kind !== "code") return line;
      return {
        ...line,
        step: `${index}.${number}`,
        canRun: answersTo(line, [], deps.platform) !== undefined,
      };
    });
    return { ...section, lines, relevance: relevance(section, last) };
  });
  return { apiVersion: 1, code, sections };
}

function relevance(section: Section, last: DoctorReport | undefined): PlaybookSection["relevance"] {
  if (last === undefined) return { kind: "open", why: null };
  const told = relevanceOf(section, examinationOf(last));
  if (told.kind === "holds") return { kind: "holds", why: `${told.finding.id}, ${told.finding.verdict}` };
  return { kind: told.kind, why: told.kind === "ruled out" ? told.why : null };
}

function examinationOf({ verdict, causes, facts, notLooked }: DoctorReport): Examination {
  return { diagnosis: { verdict, causes }, facts, notLooked };
}

async function runStep({ deps, params, jobs, request }: Call): Promise<StepResult> {
  const step = textIn(await readJson(request), "step", 20);
  const [section, line] = step.split(".").map(Number);
  const found = (await sectionsOf(deps, params.code!))[section ?? -1]?.lines[line ?? -1];
  if (found?.kind !== "code" || answersTo(found, [], deps.platform) === undefined) {
    throw new ApiError("NOT_FOUND", `Step ${JSON.stringify(step)} is none that can run here`);
  }
  // the same looks that the doctor takes: nothing that a page says is executed
  const report = (await jobs.start(["doctor", "--verbose"]).result) as DoctorReport;
  jobs.remember(report);
  const answers = answersTo(found, report.facts, deps.platform) ?? [];
  return { apiVersion: 1, step, command: found.text, found: answers };
}

async function feedback({ deps, request, session, jobs }: Call): Promise<object> {
  const body = await readJson(request);
  const playbook = textIn(body, "playbook", 10);
  await sectionsOf(deps, playbook);
  const solved = ANSWERS.find((word) => word === body.solved);
  if (solved === undefined) throw new ApiError("BAD_REQUEST", `solved must be one of ${ANSWERS.join(", ")}`);
  const note = body.note === undefined || body.note === "" ? undefined : textIn(body, "note", MAX_NOTE_BYTES);
  const now = deps.clock.wall();
  const repaired = await aboutCause(new Ledger(deps.stateDir, deps.clock.wall), now);
  await saveFeedback(deps.feedbackPath, {
    at: new Date(now).toISOString(),
    playbook,
    solved: solved === "partly" ? "partly" : solved === "yes",
    cause: repaired ?? jobs.last?.report.causes[0]?.id ?? null,
    ...(note === undefined ? {} : { note: withoutSecrets(note) }),
  });
  await recordAction(deps, session, `said of the playbook ${playbook} that it solved the problem: ${solved}`);
  return { ok: true };
}

async function sectionsOf(deps: ControlDeps, code: string): Promise<Section[]> {
  const text = /^\d{4}$/.test(code)
    ? await readFile(join(deps.playbooksDir, `${code}.md`), "utf8").catch(() => undefined)
    : undefined;
  if (text === undefined) throw new ApiError("NOT_FOUND", `There is no playbook for ${JSON.stringify(code)}`);
  return parsePlaybook(text);
}
