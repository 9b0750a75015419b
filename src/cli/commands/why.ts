import { plainAddress } from "../../core/address-ranges.ts";
import { ClawkitError } from "../../core/errors.ts";
import { type ClientReport, meantBy, NEAR_MS, tellBothSides } from "../../recorder/both-sides.ts";
import type { ConnectionRow, IncidentRow, RecorderStore } from "../../recorder/store.ts";
import { incidentStory, type Told, tellConnection, tellIncident } from "../../recorder/story.ts";
import type { CliContext } from "../context.ts";
import { parseSince } from "../output/time.ts";
import { printTold, withRecords, words } from "../recorded.ts";
import { whyJournal } from "./why-journal.ts";

/** Connections of a client that are counted by their cause. */
const CLIENT_CONNECTIONS = 1_000;

interface Answer {
  readonly json: object;
  readonly told: readonly Told[];
}

export interface WhyOptions {
  readonly clientSaw?: string;
  readonly clientJournal?: string;
  readonly at?: string;
  readonly from?: string;
  readonly json?: boolean;
}

/** `clawkit why [what]`: the last incident, or an incident, a connection, a client; with a client's report our side of it. */
export async function why(
  context: CliContext,
  what: string | undefined,
  options: WhyOptions,
): Promise<number> {
  if (options.clientJournal !== undefined)
    return await ofJournal(what, options.clientJournal, options, context);
  const report = reportOf(what, options, context);
  const answer = await withRecords(context, (store) =>
    report === undefined
      ? find(store, what, context.clock.wall())
      : ofReport(store, report, context.clock.wall()),
  );
  if (options.json) context.out.json(answer.json);
  else for (const told of answer.told) printTold(told, context);
  return 0;
}

function ofJournal(
  what: string | undefined,
  file: string,
  { clientSaw, at, from, json = false }: WhyOptions,
  context: CliContext,
): Promise<number> {
  if (what !== undefined || clientSaw !== undefined || at !== undefined)
    throw usage("--client-journal tells all ends of a client: beside it stands only --from");
  if (from === undefined)
    throw usage(
      "A client's journal does not say whose it is: add --from its address or id (clawkit connections)",
    );
  return whyJournal(context, file, { from, json });
}

interface Report extends ClientReport {
  readonly from: string;
}

/** Undefined where no client's report is asked about. Throws USAGE for the part of it that is missing or wrong. */
function reportOf(
  what: string | undefined,
  { clientSaw, at, from }: WhyOptions,
  context: CliContext,
): Report | undefined {
  if (clientSaw === undefined && at === undefined && from === undefined) return undefined;
  if (what !== undefined) {
    throw usage(`A client's report tells which connection is meant: leave ${JSON.stringify(what)} out`);
  }
  if (clientSaw === undefined || at === undefined || from === undefined) {
    throw usage(
      "A client's report has three parts: --client-saw 1006 --at 14:03:22 (or 10m, or a date) --from its address or id",
    );
  }
  if (!/^[1-4]\d{3}$/.test(clientSaw)) {
    throw usage(
      `--client-saw must be a close code from 1000 to 4999, such as 1006, not ${JSON.stringify(clientSaw)}`,
    );
  }
  const when = parseSince(at, context.clock.wall());
  if (when === undefined) {
    throw usage(
      `--at must be a time of day (14:03:22), a time span back from now (10m) or a date, not ${JSON.stringify(at)}`,
    );
  }
  return { code: Number(clientSaw), at: when, from: plainAddress(from) };
}

function usage(message: string): ClawkitError {
  return new ClawkitError("USAGE", message);
}

function ofReport(store: RecorderStore, report: Report, now: number): Answer {
  // of an address behind which many are, the newest may all be from after it
  const filter = { client: report.from, openedUntil: report.at + NEAR_MS };
  const rows = store.connections(filter, CLIENT_CONNECTIONS);
  const connection = meantBy(rows, report, now);
  if (connection === undefined) {
    const told =
      rows.length === 0
        ? "no connection from there is recorded"
        : "none of its connections ended, or was open, near that time";
    throw new ClawkitError(
      "NOTHING_RECORDED",
      `Cannot say what our side saw of ${report.from} at ${words.time(report.at)} as ${told}: it never got here, or a proxy gave it another address (clawkit connections --closed)`,
    );
  }
  const { json, told } = ofConnection(store, connection, now);
  const sides = tellBothSides(connection, report, words, now);
  const { ours, meaning } = sides;
  return { json: { report, ours, meaning, ...json }, told: [sides, ...told] };
}

function find(store: RecorderStore, what: string | undefined, now: number): Answer {
  if (what === undefined) {
    const [last] = store.incidents({}, 1);
    if (last !== undefined) return ofIncident(store, last);
    return {
      json: { incident: null },
      told: [
        {
          headline: "No incident is recorded: nothing went down, and clients were not cut off in numbers",
          parts: [],
        },
      ],
    };
  }
  const incident = store.incident(what);
  if (incident !== undefined) return ofIncident(store, incident);
  const connection = store.connection(what);
  if (connection !== undefined) return ofConnection(store, connection, now);
  const connections = store.connections({ client: what }, CLIENT_CONNECTIONS);
  if (connections.length > 0) return ofClient(what, connections, now);
  throw new ClawkitError(
    "NOTHING_RECORDED",
    `Cannot explain ${JSON.stringify(what)} as no incident, connection, client id or address of that name is recorded: see clawkit incidents, clawkit connections`,
  );
}

function ofIncident(store: RecorderStore, incident: IncidentRow): Answer {
  const story = incidentStory(store, incident);
  return { json: story, told: [tellIncident(story, words)] };
}

/** A connection that went with its gateway is explained by what happened to the gateway. */
function ofConnection(store: RecorderStore, connection: ConnectionRow, now: number): Answer {
  const told = [tellConnection(connection, words, now)];
  const incident = connection.incident === null ? undefined : store.incident(connection.incident);
  if (incident === undefined) return { json: { connection }, told };
  const { json, told: outer } = ofIncident(store, incident);
  return { json: { connection, ...json }, told: [...told, ...outer] };
}

function ofClient(client: string, connections: readonly ConnectionRow[], now: number): Answer {
  const open = connections.filter(({ end }) => end === null).length;
  const counts = new Map<string, number>();
  for (const { end } of connections)
    if (end !== null) counts.set(end.cause, (counts.get(end.cause) ?? 0) + 1);
  const causes = [...counts].sort((a, b) => b[1] - a[1]);
  const headline = `${client}: ${connections.length} connections recorded, ${open} open now`;
  const lines = causes.map(([cause, count]) => `${count} × ${cause}`);
  const [last] = connections;
  return {
    json: { client, connections, causes: Object.fromEntries(causes) },
    told: [
      { headline, parts: lines.length === 0 ? [] : [{ heading: "ended", lines }] },
      tellConnection(last!, words, now),
    ],
  };
}
