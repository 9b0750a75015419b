import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CauseId } from "../../core/causes.ts";
import { withoutSecrets } from "../../core/secrets.ts";
import type { IncidentRow, RecorderStore, RunRow } from "../../recorder/store.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** An incident that is over is worth a word for this long. */
const RECENT_MS = DAY_MS;

/** Trouble of single clients is what somebody who asks now means. */
const CLIENT_TROUBLE_MS = 5 * MINUTE_MS;

/** Of all connections of that time: a stranger with a wrong token, or one laptop that went to sleep, is none. */
const TROUBLE_SHARE = 0.2;

/** Connections that are looked through for it. */
const MAX_CONNECTIONS = 200;

/** Evidence that is told; all of it is in `clawkit why`. */
const SHOWN = 3;

/** Ends of single connections that say what is wrong between a client and a gateway that is well. */
const TELLING: ReadonlySet<CauseId> = new Set([
  "pairing-or-auth-rejected",
  "payload-too-large",
  "protocol-violation",
  "client-unreachable",
  "client-reset",
  "refused-by-edge",
  "hold-ran-out",
  "gateway-dropped-connection",
  "gateway-refused-upgrade",
]);

/** What the flight recorder knows: why the gateway is away, or was, and what became of clients. */
export const history: Look = {
  id: "history",
  what: "the flight recorder",
  async look({ records, clock, hasOwnState, paths }) {
    if (!(await hasOwnState())) return [];
    const now = clock.wall();
    const facts = await records((store) => [...gatewayHistory(store, now), ...clientHistory(store, now)]);
    const isUnseen = facts.some(({ id }) => id.startsWith("ended-ended-without-record"));
    return isUnseen ? [...facts, ...(await lastOutput(join(paths.logsDir, "gateway.log")))] : facts;
  },
};

/** Nobody saw the end, so nobody kept its last lines: they stand at the end of its log. */
async function lastOutput(path: string): Promise<Fact[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text
    .trimEnd()
    .split("\n")
    .slice(-SHOWN)
    .filter((line) => line !== "");
  return lines.map((line) => ({ id: "exit-line", detail: withoutSecrets(line), source: "end of its log" }));
}

function gatewayHistory(store: RecorderStore, now: number): Fact[] {
  const [last] = store.incidents({ since: now - 30 * DAY_MS }, 20).filter(({ role }) => role !== "clients");
  const [run] = store.runs({ role: "gateway" }, 1);
  if (run?.endedBy === "operator" && (last?.closedAt ?? 0) < run.endedAt!) {
    const detail = `its operator stopped it at ${iso(run.endedAt!)}`;
    return [{ id: "stopped-by-operator", detail, source: "flight recorder", at: iso(run.endedAt!) }];
  }
  if (last === undefined || (last.closedAt !== null && now - last.closedAt > RECENT_MS)) return [];
  return factsOf(last, endedRun(store, last));
}

function endedRun(store: RecorderStore, { role, generation, openedAt }: IncidentRow): RunRow | undefined {
  if (role === "clients") return undefined;
  return store.runs({ role, until: openedAt }, 20).find((run) => run.generation === generation);
}

function factsOf(incident: IncidentRow, run: RunRow | undefined): Fact[] {
  const { id, cause, verdict, openedAt, closedAt, evidence } = incident;
  const at = iso(openedAt);
  const isOver = closedAt !== null;
  const suffix = `${verdict === "confirmed" ? "" : "-likely"}${isOver ? "-recently" : ""}`;
  const facts: Fact[] = [
    { id: `ended-${cause}${suffix}`, detail: detailOf(incident), source: `clawkit why ${id}`, at },
  ];
  const told = { id: isOver ? "past-evidence" : "exit-evidence", source: "flight recorder", at };
  for (const detail of evidence.slice(0, SHOWN)) facts.push({ ...told, detail });
  for (const detail of (run?.lastLines ?? []).slice(-SHOWN)) {
    facts.push({ id: isOver ? "past-line" : "exit-line", detail, source: "its last lines", at });
  }
  return facts;
}

function detailOf({ role, openedAt, closedAt, summary }: IncidentRow): string {
  const over = closedAt === null ? "" : `, back after ${((closedAt - openedAt) / 1000).toFixed(1)} s`;
  return `the ${role} ended at ${iso(openedAt)}: ${summary}${over}`;
}

function clientHistory(store: RecorderStore, now: number): Fact[] {
  const since = now - CLIENT_TROUBLE_MS;
  const byCause = new Map<string, { count: number; detail: string; at: number }>();
  for (const { end, address } of store.connections({ state: "closed", since }, MAX_CONNECTIONS)) {
    if (end === null) continue;
    // 1002 of a gateway is a client of another version (knowledge §2.6), not a broken frame
    const cause = end.by === "gateway" && end.code === 1002 ? "protocol-mismatch" : end.cause;
    if (cause !== "protocol-mismatch" && !TELLING.has(cause)) continue;
    const seen = byCause.get(cause);
    if (seen !== undefined) seen.count++;
    else {
      const code = end.code === null ? "without a close frame" : `with ${end.code}`;
      const reason = end.reason === "" ? "" : ` "${end.reason}"`;
      byCause.set(cause, { count: 1, detail: `${address}, by the ${end.by} ${code}${reason}`, at: end.at });
    }
  }
  const all = store.countConnections({ state: "closed", since }) + store.countConnections({ state: "live" });
  const many = [...byCause].filter(([, { count }]) => count >= all * TROUBLE_SHARE);
  const facts = many.map(([cause, { count, detail, at }]): Fact => {
    const text = `${count} connections ended as ${cause} in the last 5 minutes, the last one of ${detail}`;
    return { id: `clients-${cause}`, detail: text, source: "clawkit connections", at: iso(at) };
  });
  for (const { at, kind, text } of store.notes(since, now)) {
    if (kind !== "host-slept" && kind !== "clock-set") continue;
    facts.push({ id: kind, detail: text, source: "flight recorder", at: iso(at) });
  }
  const [burst] = store.incidents({ since }, 20).filter(({ kind }) => kind === "burst");
  if (burst !== undefined) {
    const at = iso(burst.openedAt);
    facts.push({ id: "clients-burst", detail: burst.summary, source: `clawkit why ${burst.id}`, at });
  }
  return facts;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
