import { causes } from "../core/causes.ts";
import type { Note, Sample } from "../core/records.ts";
import type { ConnectionRow, IncidentRow, RecorderStore, RunRow } from "./store.ts";

/** What happened shortly before may be why. */
const BEFORE_MS = 5 * 60_000;
const AFTER_MS = 60_000;

/** Lives of a process that are told one by one. */
const MAX_RUNS = 50;

/** All that is known of an incident, put together from the rows around it. */
export interface IncidentStory {
  readonly incident: IncidentRow;
  /** The life that ended first, if the run log has it. */
  readonly ended: RunRow | undefined;
  /** Lives of the same process that began while it lasted, oldest first. */
  readonly restarts: readonly RunRow[];
  readonly connections: number;
  /** What the last of them was told. */
  readonly told: ConnectionRow | undefined;
  /** Clients that came while it lasted, and were served after it. */
  readonly held: number;
  readonly notes: readonly Note[];
  /** The machine just before. */
  readonly sample: Sample | undefined;
}

export function incidentStory(store: RecorderStore, incident: IncidentRow): IncidentStory {
  const { id, role, openedAt, closedAt, generation } = incident;
  const end = closedAt ?? Number.MAX_SAFE_INTEGER;
  const runs = (span: { since?: number; until: number }) =>
    role === "clients" ? [] : store.runs({ role, ...span }, MAX_RUNS);
  return {
    incident,
    ended: runs({ until: openedAt }).find((run) => run.generation === generation),
    restarts: runs({ until: end })
      .filter(({ startedAt, readyAt }) => startedAt >= openedAt || (readyAt ?? 0) >= openedAt)
      .reverse(),
    connections: store.countConnections({ incident: id }),
    told: store.connections({ incident: id }, 1)[0],
    held: isHeld(incident) ? store.countConnections({ openedBetween: [openedAt, closedAt!] }) : 0,
    notes: store.notes(openedAt - BEFORE_MS, Math.min(end, openedAt + AFTER_MS)),
    sample: store.samples(openedAt - BEFORE_MS, openedAt).at(-1),
  };
}

/** While the edge is away the kernel queues clients, and in a burst nobody waits: then coming is not waiting. */
function isHeld({ role, closedAt }: IncidentRow): boolean {
  return closedAt !== null && (role === "gateway" || role === "supervisor");
}

/** Formats that the teller is given: the machine's own time zone, human durations. */
export interface Words {
  readonly time: (ms: number) => string;
  readonly duration: (ms: number) => string;
}

/** A story as a person would tell it: a headline, and paragraphs with their headings. */
export interface Told {
  readonly headline: string;
  readonly parts: readonly { readonly heading: string; readonly lines: readonly string[] }[];
}

export function tellIncident(story: IncidentStory, words: Words): Told {
  const { incident, restarts } = story;
  const lasted = incident.closedAt === null ? undefined : incident.closedAt - incident.openedAt;
  const subject = incident.kind === "burst" ? "Clients were disconnected" : `The ${incident.role} was away`;
  const now = incident.kind === "burst" ? "Clients are being disconnected" : `The ${incident.role} is away`;
  const headline =
    lasted === undefined
      ? `${now} since ${words.time(incident.openedAt)}`
      : `${subject} for ${words.duration(lasted)}, from ${words.time(incident.openedAt)}`;
  return {
    headline,
    parts: withoutEmpty([
      { heading: "what happened", lines: [happened(story, words)] },
      { heading: "cause", lines: [`${incident.cause} (${incident.verdict}): ${causes[incident.cause]}`] },
      { heading: "evidence", lines: incident.evidence },
      { heading: "noticed by", lines: [NOTICED[incident.noticedBy]] },
      { heading: "around it", lines: around(story, words) },
      { heading: "what was done", lines: restarts.map((run) => done(run, incident, words)) },
      { heading: "clients", lines: clients(story) },
      { heading: "not known", lines: incident.unknown },
      { heading: "more", lines: more(incident) },
    ]),
  };
}

export function tellConnection(row: ConnectionRow, words: Words, now: number): Told {
  const who = [row.clientId, row.clientVersion].filter((part) => part !== null).join(" ");
  const client = `${who === "" ? "A client" : who} at ${row.address}${row.role === null ? "" : ` (${row.role})`}`;
  const { end } = row;
  if (end === null) {
    return {
      headline: `Connection ${row.id} is open since ${words.time(row.openedAt)} (${words.duration(now - row.openedAt)})`,
      parts: [{ heading: "client", lines: [client, `asked for ${row.path}`] }],
    };
  }
  const idle = Math.max(0, end.at - end.lastActivityAt);
  const close =
    end.code === null
      ? "without a close frame"
      : `with ${end.code}${end.reason === "" ? "" : ` "${end.reason}"`}`;
  return {
    headline: `Connection ${row.id} was ended by the ${end.by} ${close}`,
    parts: withoutEmpty([
      {
        heading: "when",
        lines: [
          `${words.time(end.at)}, after ${words.duration(end.at - row.openedAt)} (${PHASES[end.phase]})`,
        ],
      },
      {
        heading: "client",
        lines: [
          client,
          `asked for ${row.path}${row.origin === null ? "" : `, from a page of ${row.origin}`}`,
        ],
      },
      {
        heading: "cause",
        lines: [`${end.cause}: ${causes[end.cause]}`, ...(end.code === null ? [end.reason] : [])],
      },
      {
        heading: "evidence",
        lines: [
          `${end.framesIn} frames and ${end.bytesIn} bytes came from the client, ${end.framesOut} frames and ${end.bytesOut} bytes went to it`,
          `the client was last heard ${words.duration(idle)} before the end`,
          ...(end.rttMs === null ? [] : [`its last ping took ${Math.round(end.rttMs)} ms`]),
          ...(row.generation === null
            ? ["it was never served"]
            : [`served by generation ${row.generation} of the gateway`]),
        ],
      },
      {
        heading: "more",
        lines: row.incident === null ? [] : [`it was part of an incident: clawkit why ${row.incident}`],
      },
    ]),
  };
}

const NOTICED = {
  supervisor: "the supervisor, which saw the process end",
  edge: "the edge, which got no answer",
  recorder: "the flight recorder, from what was written down",
} as const;

const PHASES = {
  handshake: "before it was served",
  open: "while it was open",
  closing: "in the middle of its closing handshake",
} as const;

function happened({ incident, ended }: IncidentStory, words: Words): string {
  if (incident.kind === "burst" || ended === undefined) return sentence(incident.summary);
  const up =
    ended.endedAt === null ? "" : `, ${words.duration(ended.endedAt - ended.startedAt)} after its start`;
  const again = incident.ends > 1 ? ` It ended ${incident.ends} times before it served again.` : "";
  return `${sentence(incident.summary)} That was generation ${ended.generation}, pid ${ended.pid}${up}.${again}`;
}

function around({ notes, sample, incident }: IncidentStory, words: Words): string[] {
  const lines = notes.map((note) => {
    const before = incident.openedAt - note.at;
    return before >= 0
      ? `${words.duration(before)} before: ${note.text}`
      : `${words.duration(-before)} after: ${note.text}`;
  });
  if (sample === undefined) return lines;
  const parts = [`${sample.connections} connections`];
  if (sample.gatewayRssBytes !== null) parts.push(`the gateway had ${megabytes(sample.gatewayRssBytes)}`);
  if (sample.memoryAvailableBytes !== null)
    parts.push(`${megabytes(sample.memoryAvailableBytes)} of memory were free`);
  if (sample.diskFreeBytes !== null) parts.push(`${megabytes(sample.diskFreeBytes)} of disk`);
  return [...lines, `${words.duration(incident.openedAt - sample.at)} before: ${parts.join(", ")}`];
}

function done(run: RunRow, incident: IncidentRow, words: Words): string {
  const { openedAt } = incident;
  const who = `generation ${run.generation}, pid ${run.pid}`;
  const started =
    run.startedAt < openedAt
      ? `at once: followed by ${who}, which was being prepared`
      : `after ${words.duration(run.startedAt - openedAt)}: started again as ${who}`;
  const from = Math.max(run.startedAt, openedAt);
  if (run.readyAt !== null) return `${started}, ready ${words.duration(run.readyAt - from)} later`;
  return run.exit === null ? `${started}, not ready yet` : `${started}; it ended: ${run.exit.summary}`;
}

function clients({ connections, told, held }: IncidentStory): string[] {
  const lines: string[] = [];
  if (connections > 0) {
    const saw =
      told?.end == null
        ? ""
        : told.end.code === null
          ? "; they saw no close frame"
          : `; they were told ${told.end.code}${told.end.reason === "" ? "" : ` "${told.end.reason}"`}`;
    lines.push(`${connections} ${connections === 1 ? "connection was" : "connections were"} affected${saw}`);
  } else {
    lines.push("no connection was affected");
  }
  if (held > 0) lines.push(`${held} came while it lasted, were held, and were served after it`);
  return lines;
}

function more({ crash }: IncidentRow): string[] {
  return crash === null ? [] : [`its last words and all evidence: clawkit crash show ${crash}`];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

function withoutEmpty<T extends { readonly lines: readonly string[] }>(parts: readonly T[]): T[] {
  return parts.filter(({ lines }) => lines.length > 0);
}
