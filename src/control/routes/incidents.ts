import { secretsOf } from "../../config/redact.ts";
import { withoutHome, withoutSecretsIn } from "../../core/secrets.ts";
import { VERSION } from "../../core/version.ts";
import { LOG_SOURCES, LogFile, mergeLines, type SourcedLine } from "../../host/log-files.ts";
import type { IncidentRow, RecorderStore } from "../../recorder/store.ts";
import { incidentStory, tellIncident } from "../../recorder/story.ts";
import { ApiError } from "../api-error.ts";
import type { IncidentDetail, IncidentExport, TimelineEntry } from "../contract.ts";
import type { ControlDeps } from "../deps.ts";
import { summaryOf } from "../look.ts";
import { type Call, numberIn, type Route } from "../route.ts";

/** What happened shortly before may be why; what follows shows whether it is over. */
const BEFORE_MS = 5 * 60_000;
const AFTER_MS = 60_000;

/** Of each kind of entry, and of all together. */
const MAX_OF_KIND = 200;
const MAX_ENTRIES = 500;

/** Of log lines, before and after it began. */
const MAX_LINES = MAX_OF_KIND / 2;

/** What the supervisor says of an end follows it by this much. */
const BEGIN_MS = 1_000;

export const incidentRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/incidents",
    what: "outages and bursts, newest first (`limit`)",
    handle: async ({ deps, query }: Call) => {
      const limit = numberIn(query, "limit", { preset: 50, min: 1, max: 500 });
      const incidents = await deps.records((store) =>
        store.incidents({}, limit).map((row) => summaryOf(store, row)),
      );
      return { apiVersion: 1, incidents };
    },
  },
  {
    method: "GET",
    path: "/incidents/:id",
    what: "one incident: its story, and exits, starts, closes, notes, log lines and memory on one axis",
    handle: incident,
  },
  {
    method: "GET",
    path: "/incidents/:id/export",
    what: "the same as a JSON file for a report, without what looks like a secret",
    handle: exported,
  },
];

async function exported(call: Call): Promise<undefined> {
  const { deps, params, response } = call;
  const detail = await incident(call);
  const { platform, home } = deps;
  const about = { version: VERSION, platform, exportedAt: deps.clock.wall() };
  const known = await deps.config().then(secretsOf, () => []);
  const file: IncidentExport = withoutSecretsIn({ ...about, ...detail }, known);
  response.writeHead(200, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Disposition": `attachment; filename="incident-${params.id}.json"`,
    "Cache-Control": "no-store",
  });
  response.end(`${withoutHome(JSON.stringify(file, null, 2), home)}\n`);
  return undefined;
}

async function incident({ deps, params }: Call): Promise<IncidentDetail> {
  const found = await deps.records((store) => {
    const row = store.incident(params.id!);
    if (row === undefined) return undefined;
    const [from, to] = spanOf(row, deps.clock.wall());
    return {
      incident: summaryOf(store, row),
      told: tellIncident(incidentStory(store, row), deps),
      recorded: recordedEntries(store, row, [from, to]),
      samples: store.samples(from, to).slice(-MAX_ENTRIES),
      span: [from, to] as const,
    };
  });
  if (found === undefined) throw new ApiError("NOT_FOUND", `No incident ${params.id} is recorded`);
  const { recorded, span, ...rest } = found;
  const lines = await linesAround(deps, rest.incident, span);
  const timeline = [...recorded, ...lines].sort((a, b) => a.at - b.at).slice(0, MAX_ENTRIES);
  return { apiVersion: 1, ...rest, timeline };
}

function spanOf({ openedAt, closedAt }: IncidentRow, now: number): [number, number] {
  return [openedAt - BEFORE_MS, Math.min(now, (closedAt ?? now) + AFTER_MS)];
}

function recordedEntries(
  store: RecorderStore,
  { id, openedAt }: IncidentRow,
  [from, to]: readonly [number, number],
): TimelineEntry[] {
  const isIn = (at: number | null): at is number => at !== null && at >= from && at <= to;
  const entries: TimelineEntry[] = [];
  // a life that ended in this span may have begun long before
  for (const run of store.runs({ until: to }, MAX_OF_KIND)) {
    const { role, generation, startedAt, readyAt, endedAt, exit } = run;
    const who = `${role} (generation ${generation}, pid ${run.pid})`;
    if (isIn(startedAt)) entries.push({ at: startedAt, kind: "start", role, text: `${who} started` });
    if (isIn(readyAt)) entries.push({ at: readyAt, kind: "ready", role, text: `${who} was ready` });
    if (isIn(endedAt)) {
      const why = run.endedBy === "operator" ? "its operator asked for it" : (exit?.summary ?? "it ended");
      entries.push({ at: endedAt, kind: "exit", role, text: `${who} ended: ${why}` });
    }
  }
  for (const note of store.notes(from, to).slice(-MAX_OF_KIND)) {
    entries.push({ at: note.at, kind: "note", note: note.kind, text: note.text });
  }
  for (const { end, address, clientId } of store.connections({ incident: id }, MAX_OF_KIND)) {
    const client = clientId === null ? address : `${clientId} at ${address}`;
    const told = end?.code == null ? "without a close frame" : `${end.code} ${JSON.stringify(end.reason)}`;
    entries.push({ at: end?.at ?? openedAt, kind: "close", text: `${client}: ${told}` });
  }
  return entries;
}

/** The last lines before it began, and the last of what followed: in a long one these are not the same. */
async function linesAround(
  deps: ControlDeps,
  { openedAt }: IncidentRow,
  [from, to]: readonly [number, number],
): Promise<TimelineEntry[]> {
  const begun = openedAt + BEGIN_MS;
  const [before, after] = await Promise.all([
    linesBetween(deps, [from, begun]),
    linesBetween(deps, [begun + 1, to]),
  ]);
  return [...before, ...after];
}

async function linesBetween(
  { logsDir }: ControlDeps,
  [from, to]: readonly [number, number],
): Promise<TimelineEntry[]> {
  const since = new Date(from).toISOString();
  const until = new Date(to).toISOString();
  const wanted = ({ time }: SourcedLine) => time <= until;
  const lines = await Promise.all(
    LOG_SOURCES.map((source) => new LogFile(source, logsDir).readBack({ wanted, since, limit: MAX_LINES })),
  );
  return mergeLines(lines).slice(-MAX_LINES).map(entryOf);
}

function entryOf({ time, source, text }: SourcedLine): TimelineEntry {
  return { at: Date.parse(time), kind: "log", role: source, text };
}
