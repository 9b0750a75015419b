import type { ExitVerdict } from "../../core/run-record.ts";
import type { ConnectionRow, IncidentRow } from "../../recorder/store.ts";
import { type IncidentStory, tellIncident, type Words } from "../../recorder/story.ts";
import type { Advice } from "../harden/types.ts";
import { headlineOf } from "../report.ts";
import type { Diagnosis } from "../types.ts";
import { counted, sentence, tally } from "./sentence.ts";
import type { OwnStep, Step, StepAnswer } from "./types.ts";

/** Rows, and lines of a report, that are shown of many: the console has pages for all. */
const SHOWN = 10;

const CLIENTS = /^clients-/;

export const ownSteps: readonly Step[] = [
  own(/^(clawkit|openclaw) doctor$/, ["doctor", "--verbose"], ofDoctor),
  // without a proxy: that is what the doctor looks at by itself
  own(/^clawkit doctor --url ws:\/\/127\.0\.0\.1:18789$/, ["doctor", "--verbose"], ofDoctor),
  own(/^clawkit doctor --deep$/, ["doctor", "--deep"], ofDoctor),
  own(/^clawkit harden$/, ["harden"], ofHarden),
  own(/^clawkit connections --closed$/, ["connections", "--closed"], ofClosed, CLIENTS),
  own(
    /^clawkit connections --closed --since 1h$/,
    ["connections", "--closed", "--since", "1h"],
    ofClosed,
    CLIENTS,
  ),
  own(/^clawkit connections --live$/, ["connections", "--live"], ofLive),
  own(/^clawkit why$/, ["why"], ofWhy, /^(ended-|stopped-by-operator)/),
  own(/^clawkit incidents$/, ["incidents"], ofIncidents),
  own(/^clawkit incidents --since 1d$/, ["incidents", "--since", "1d"], ofIncidents),
  own(/^clawkit crash show$/, ["crash", "show"], ofCrash),
  own(/^clawkit config path$/, ["config", "path"], (said) => ({
    found: [(said as { path: string }).path],
    means: "That file is the one that counts; what it leaves out has its default.",
  })),
];

function own(
  command: RegExp,
  args: readonly string[],
  tell: OwnStep["tell"],
  facts?: RegExp,
): { command: RegExp } & OwnStep {
  return { kind: "own", command, args, tell, ...(facts === undefined ? {} : { facts }) };
}

function ofDoctor(said: unknown): StepAnswer {
  const diagnosis = said as Diagnosis;
  const held = diagnosis.causes.filter(({ verdict }) => verdict !== "ruled out");
  const found = held
    .slice(0, SHOWN)
    .map(({ id, verdict, evidence }) => `${id}, ${verdict}: ${evidence[0]?.detail ?? ""}`);
  if (diagnosis.verdict === "healthy") {
    return { found: found.length === 0 ? ["healthy"] : found, means: "The gateway is served now." };
  }
  const [headline] = headlineOf(diagnosis, "this machine");
  return { found: found.length === 0 ? ["nothing was found"] : found, means: sentence(headline) };
}

function ofHarden(said: unknown): StepAnswer {
  const { advice } = said as { readonly advice: readonly Advice[] };
  const open = advice.filter(({ state }) => state !== "ok");
  const changes = open.filter(({ state }) => state === "change").length;
  const found = open.map(({ title, current }) => `${title}: ${current}`);
  if (advice.length === 0) return { found: ["nothing was found"], means: "There is no gateway here yet." };
  if (open.length === 0) return { found: ["all is as it should be"], means: "Nothing is left to change." };
  const yours = open.length - changes;
  const means = `${counted(changes, "change")} can be made, and ${counted(yours, "thing")} only you can do`;
  return { found, means: sentence(means) };
}

function ofClosed(said: unknown, words: Words): StepAnswer {
  const rows = said as readonly ConnectionRow[];
  if (rows.length === 0) return { found: ["no such connection is recorded"], means: "No connection ended." };
  const causes = tally(rows.flatMap(({ end }) => (end === null ? [] : [end.cause])));
  const means = `connections ended like this: ${causes}`;
  return { found: rows.slice(0, SHOWN).map((row) => lineOf(row, words)), means: sentence(means) };
}

function ofLive(said: unknown, words: Words): StepAnswer {
  const rows = said as readonly ConnectionRow[];
  if (rows.length === 0) return { found: ["no connection is open"], means: "No client is connected." };
  const clients = tally(rows.map(({ clientId, address }) => clientId ?? address));
  const means = `these clients are connected: ${clients}`;
  return { found: rows.slice(0, SHOWN).map((row) => lineOf(row, words)), means: sentence(means) };
}

function lineOf({ id, openedAt, clientId, address, end }: ConnectionRow, { time }: Words): string {
  const who = clientId === null ? address : `${clientId} at ${address}`;
  if (end === null) return `${id}: ${who}, open since ${time(openedAt)}`;
  const code = end.code === null ? "without a close frame" : `with ${end.code}`;
  const reason = end.reason === "" ? "" : ` "${end.reason}"`;
  return `${id}: ${who}, ended ${time(end.at)} by the ${end.by} ${code}${reason} (${end.cause})`;
}

function ofWhy(said: unknown, words: Words): StepAnswer {
  const story = said as IncidentStory | { readonly incident: null };
  if (story.incident === null) {
    return { found: ["no incident is recorded"], means: "Nothing went down that the flight recorder saw." };
  }
  const { headline, parts } = tellIncident(story as IncidentStory, words);
  const lines = parts.flatMap(({ heading, lines: told }) => told.map((line) => `${heading}: ${line}`));
  return {
    found: [headline, ...lines.slice(0, SHOWN)],
    means: `${headline} (${story.incident.cause}, ${story.incident.verdict}).`,
  };
}

function ofIncidents(said: unknown, words: Words): StepAnswer {
  const rows = said as readonly IncidentRow[];
  if (rows.length === 0) return { found: ["no incident is recorded"], means: "Nothing went down." };
  const found = rows.slice(0, SHOWN).map((row) => `${words.time(row.openedAt)} ${row.id}: ${row.summary}`);
  const means = `${counted(rows.length, "incident")}: ${tally(rows.map(({ cause }) => cause))}`;
  return { found, means: sentence(means) };
}

function ofCrash(said: unknown): StepAnswer {
  if (said === undefined) return { found: ["no crash is recorded"], means: "No process ended unasked." };
  const { role, exit, output } = said as {
    readonly role: string;
    readonly exit: ExitVerdict;
    readonly output: readonly string[];
  };
  const lastWords = output.slice(-3).map((line) => `it printed: ${line}`);
  const means = `the ${role} ended (${exit.cause}, ${exit.verdict}): ${exit.summary}`;
  return { found: [...exit.evidence, ...lastWords], means: sentence(means) };
}
