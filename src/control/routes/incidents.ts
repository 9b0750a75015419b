import { LOG_SOURCES, LogFile, mergeLines, type SourcedLine } from "../../host/log-files.ts";
import type { IncidentRow, RecorderStore } from "../../recorder/store.ts";
import { incidentStory, tellIncident } from "../../recorder/story.ts";
import { ApiError } from "../api-error.ts";
import type { IncidentDetail, TimelineEntry } from "../contract.ts";
import type { ControlDeps } from "../deps.ts";
import { summaryOf } from "../look.ts";
import { type Call, numberIn, type Route } from "../route.ts";

/** What happened shortly before may be why; what follows shows whether it is over. */
const BEFORE_MS = 5 * 60_000;
const AFTER_MS = 60_000;

/** Of each kind of entry, and of all together. */
const MAX_OF_KIND = 200;
const MAX_ENTRIES = 500;

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
];

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
  const lines = await linesBetween(deps, span);
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

async function linesBetween(
  { logsDir }: ControlDeps,
  [from, to]: readonly [number, number],
): Promise<TimelineEntry[]> {
  const files = LOG_SOURCES.map((source) => new LogFile(source, logsDir));
  const lines = mergeLines(await Promise.all(files.map((file) => file.readAll())));
  const first = new Date(from).toISOString();
  const last = new Date(to).toISOString();
  return lines
    .filter(({ time }) => time >= first && time <= last)
    .slice(-MAX_OF_KIND)
    .map(entryOf);
}

function entryOf({ time, source, text }: SourcedLine): TimelineEntry {
  return { at: Date.parse(time), kind: "log", role: source, text };
}
