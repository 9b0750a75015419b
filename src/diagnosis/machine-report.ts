import type { Examination } from "./doctor.ts";
import type { Target } from "./machine.ts";
import { headlineOf, linesOf, type ReportLine, SCHEMA_VERSION } from "./report.ts";
import type { Finding } from "./types.ts";

/** A finding in the shape of `openclaw doctor --lint --json`, so that existing scripts can read it. */
export interface LintFinding {
  readonly checkId: string;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly path?: string;
  readonly fixHint?: string;
}

const SEVERITY = { confirmed: "error", likely: "error", possible: "info" } as const;

/** What looking at one machine cannot show: said where nothing else is. */
const OUT_OF_SIGHT =
  "the path from a client on another machine to this one: run clawkit probe <url> where the client is";

/** What `doctor --json` prints. */
export function examinationJson({ diagnosis, facts, notLooked, only }: Examination, looks: number): object {
  const ok = diagnosis.verdict === "healthy";
  return {
    schemaVersion: SCHEMA_VERSION,
    ok,
    verdict: diagnosis.verdict,
    ...(only === undefined ? {} : { only }),
    causes: diagnosis.causes,
    facts,
    notLooked,
    checksRun: looks - notLooked.length,
    checksSkipped: notLooked.length,
    outOfSight: ok && only === undefined ? OUT_OF_SIGHT : null,
    findings: ok ? [] : diagnosis.causes.flatMap(findingOf),
  };
}

function findingOf({ id, title, verdict, evidence, remedies }: Finding): LintFinding[] {
  if (verdict === "ruled out") return [];
  const path = evidence.find(({ source }) => source.startsWith("/") || /^[A-Z]:\\/.test(source))?.source;
  const fixHint = remedies[0]?.text;
  return [
    {
      checkId: `clawkit/${id}`,
      severity: SEVERITY[verdict],
      message: `${title} (${verdict}): ${evidence[0]?.detail ?? ""}`,
      ...(path === undefined ? {} : { path }),
      ...(fixHint === undefined ? {} : { fixHint }),
    },
  ];
}

/** The verdict in two lines. */
export function examinationHeadline(examination: Examination, target: Target): [string, string] {
  const { diagnosis, facts, only } = examination;
  if (only !== undefined) return headlineOfOne(examination, only);
  if (diagnosis.verdict !== "healthy") return headlineOf(diagnosis, "this machine");
  const first = facts.find(({ id }) => id === "healthz-ok" || id === "upgrade-accepted");
  const past = diagnosis.causes[0];
  const before = past === undefined ? "" : ` Before: ${past.evidence[0]!.detail}.`;
  return [`Healthy: ${target.url} is served`, `${first?.detail ?? "it answers"}.${before}`];
}

function headlineOfOne({ diagnosis, notLooked }: Examination, only: string): [string, string] {
  const [unseen] = notLooked;
  if (unseen !== undefined) return [`Could not look at ${only}`, `${unseen.why}.`];
  const about = `Only ${only} was looked at.`;
  if (diagnosis.verdict === "healthy") return ["Nothing wrong was found", about];
  const [title, meaning] = headlineOf(diagnosis, "this machine");
  return [title, `${meaning} ${about}`];
}

/** The rest: evidence and remedies, what was ruled out, what could not be looked at. */
export function examinationLines(examination: Examination, target: Target, isVerbose: boolean): ReportLine[] {
  const { diagnosis, facts, notLooked } = examination;
  const isHealthy = diagnosis.verdict === "healthy";
  const isUnseen = examination.only !== undefined && notLooked.length > 0;
  const lines = isHealthy ? pastLines(examination) : isUnseen ? [] : linesOf(diagnosis, target);
  if (isVerbose)
    lines.push(
      ...column(
        "fact",
        facts.map(({ id, source, detail }) => `${id} (${source}): ${detail}`),
      ),
    );
  const learned = facts.filter(({ id }) => id === "keepalive-shortened");
  if (!isVerbose)
    lines.push(
      ...column(
        "learned",
        learned.map(({ detail }) => detail),
      ),
    );
  if (isVerbose || !isHealthy) {
    lines.push(
      ...column(
        "not looked",
        notLooked.map(({ what, why }) => `${what}: ${why}`),
      ),
    );
  }
  return lines;
}

function pastLines({ diagnosis, only }: Examination): ReportLine[] {
  const evidence = diagnosis.causes.flatMap((cause) => cause.evidence.slice(1));
  return [
    ...column(
      "evidence",
      evidence.map(({ source, detail }) => `${source}: ${detail}`),
    ),
    ...column("out of sight", only === undefined ? [OUT_OF_SIGHT] : []),
  ];
}

function column(heading: string, texts: readonly string[]): ReportLine[] {
  return texts.map((text, index) => ({ heading: index === 0 ? heading : "", text }));
}
