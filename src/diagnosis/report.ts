import { httpOf, type Place, USUAL_PLACE } from "./place.ts";
import type { Diagnosis, Finding } from "./types.ts";

/** The version of what `--json` prints. */
export const SCHEMA_VERSION = 1;

/** Causes that a person is shown; the others are in `--json`. */
const SHOWN = 3;

/** What `explain --json` prints. */
export function toJson(diagnosis: Diagnosis): object {
  return { schemaVersion: SCHEMA_VERSION, verdict: diagnosis.verdict, causes: diagnosis.causes };
}

/** One line of a report: a heading stands in a column of its own, and is empty where it goes on. */
export interface ReportLine {
  readonly heading: string;
  readonly text: string;
}

/** The first two lines of a report: the verdict, and what it means for whoever reads it. */
export function headlineOf(
  { verdict, causes }: Diagnosis,
  looked: "the text" | "this machine",
): [string, string] {
  const [best, ...others] = causes.filter((cause) => cause.verdict !== "ruled out");
  if (best === undefined) {
    return ["Not enough evidence", `Nothing in ${looked} points to a cause: what would is named below.`];
  }
  if (verdict === "inconclusive") {
    return [
      `Not enough evidence; it may be: ${best.title}`,
      "What was found fits it, and does not decide it.",
    ];
  }
  const also = others.filter((cause) => cause.verdict !== "possible").map(({ id }) => id);
  const more = also.length === 0 ? "" : ` Beside it: ${also.join(", ")}.`;
  return [best.title, `Cause ${best.id}, ${verdict}.${more}`];
}

/** The rest of a report: evidence and remedies of the best cause, the others in a line each, what was ruled out. */
export function linesOf(diagnosis: Diagnosis, place: Place = USUAL_PLACE): ReportLine[] {
  const held = diagnosis.causes.filter((cause) => cause.verdict !== "ruled out");
  const isOpen = diagnosis.verdict === "inconclusive";
  const full = held.slice(0, isOpen ? SHOWN : 1);
  const lines = full.flatMap((cause, index) => linesOfCause(cause, index > 0));
  for (const { id, verdict, evidence } of held.slice(full.length, SHOWN + 1)) {
    lines.push({ heading: "also", text: `${id}, ${verdict}: ${evidence[0]!.detail}` });
  }
  const ruledOut = diagnosis.causes.filter((cause) => cause.verdict === "ruled out");
  for (const { id, evidence } of ruledOut) {
    lines.push({ heading: "ruled out", text: `${id}: ${evidence[0]!.detail}` });
  }
  if (isOpen) lines.push(...deciding(place));
  return lines;
}

/**
 * What decides most cases (the field's own experience): an answer to a plain GET tells refused, hanging and living
 * gateways apart, and the error just before a 1006 says which of fifteen situations it was.
 */
function deciding(place: Place): ReportLine[] {
  return [
    { heading: "would decide", text: `what a plain GET gets: curl -skv ${httpOf(place)}/healthz` },
    {
      heading: "",
      text: "the line before the 1006, and the gateway's own log around that moment: openclaw logs",
    },
  ];
}

function linesOfCause({ id, verdict, evidence, remedies }: Finding, named: boolean): ReportLine[] {
  const lines: ReportLine[] = named ? [{ heading: "or", text: `${id}, ${verdict}` }] : [];
  for (const [index, fact] of evidence.entries()) {
    lines.push({ heading: index === 0 ? "evidence" : "", text: `${fact.source}: ${fact.detail}` });
  }
  for (const [index, { text, commands = [] }] of remedies.entries()) {
    lines.push({ heading: index === 0 ? "what helps" : "", text });
    for (const command of commands) lines.push({ heading: "", text: `  ${command}` });
  }
  return lines;
}
