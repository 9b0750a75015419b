import { writeFileSync } from "node:fs";
import type { ConnectionEnd, RecorderEvent } from "../../src/core/records.ts";
import type { RunRecord } from "../../src/core/run-record.ts";
import { Chronicle } from "../../src/recorder/chronicle.ts";
import { SqliteStore } from "../../src/recorder/sqlite-store.ts";

const DAY_MS = 24 * 3_600_000;
const SPAN_MS = 30 * DAY_MS;

const CONNECTIONS = 1_000_000;
const INCIDENTS = 2_000;

/** Supervisor and edge are started anew with each; with the gateway's lives that makes 5,000 runs. */
const SUPERVISORS = 5;
const GATEWAYS = 4_990;
const LIVES_PER_SUPERVISOR = GATEWAYS / SUPERVISORS;
const LIFE_MS = SPAN_MS / GATEWAYS;

/** From a gateway's end to the next one's readiness. */
const OUTAGE_MS = 2_000;
/** Connections that a crash takes along; as many come while the gateway is away. */
const CUT = 20;

/** Where the supervisor rotates its run log (src/supervisor/run-log.ts). */
const RUN_LOG_BYTES = 4 * 2 ** 20;

const CLIENTS = 500;
const ADDRESSES = 200;

/** What 50 lines of a Node program that crashes take. */
const LAST_LINES = Array.from(
  { length: 50 },
  (_, line) => `    at handle${line} (/srv/gateway/dist/server.js:${line}:17)`,
);

/** How the connections end that no outage ends: most as they should. */
const ENDS = [
  ...Array.from({ length: 12 }, () => ({ by: "client", code: 1001, cause: "client-went-away" }) as const),
  ...Array.from({ length: 6 }, () => ({ by: "client", code: 1000, cause: "client-closed" }) as const),
  { by: "network", code: null, cause: "client-vanished" },
  { by: "gateway", code: 1008, cause: "pairing-or-auth-rejected" },
] as const;

/** Lives through 30 days up to `until`, through the recorder's own code: what the edge tells, what the run log has. */
export function fillStore(paths: { readonly store: string; readonly runLog: string }, until: number): void {
  const store = new SqliteStore(paths.store);
  const chronicle = new Chronicle(store);
  const log: RunRecord[] = [];
  const tell = (...records: RunRecord[]) => {
    log.push(...records);
    chronicle.takeRuns(records, 0);
  };
  for (let life = 0; life < GATEWAYS; life++) {
    // one transaction for a life: some thousand writes
    store.transaction(() => {
      const from = until - SPAN_MS + life * LIFE_MS;
      const at = Math.round(from);
      const isFirst = life % LIVES_PER_SUPERVISOR === 0;
      if (isFirst) tell(start("supervisor", life, at), start("edge", life, at + 50));
      tell(start("gateway", life, at + 100), event("gateway", life, at + OUTAGE_MS, { event: "ready" }));
      const { served, cut } = connectionsOf(life, from);
      for (const record of served) chronicle.take(record);
      const endedAt = Math.round(from + LIFE_MS) - 100;
      tell(end("gateway", life, endedAt, isCrash(life) ? "itself" : "operator"));
      for (const record of cut(endedAt)) chronicle.take(record);
      addSamples(chronicle, from, until);
      const isLast = (life + 1) % LIVES_PER_SUPERVISOR === 0;
      if (isLast)
        tell(
          end("edge", life - LIVES_PER_SUPERVISOR + 1, endedAt + 10, "operator"),
          end("supervisor", life - LIVES_PER_SUPERVISOR + 1, endedAt + 20, "operator"),
        );
    });
  }
  store.close();
  writeFileSync(paths.runLog, lastOf(log));
}

/** Spread evenly: 2,000 of 4,990 lives. */
function isCrash(life: number): boolean {
  return (life * INCIDENTS) % GATEWAYS < INCIDENTS;
}

function connectionsOf(life: number, from: number) {
  const first = Math.floor((life * CONNECTIONS) / GATEWAYS);
  const count = Math.floor(((life + 1) * CONNECTIONS) / GATEWAYS) - first;
  const served: RecorderEvent[] = [];
  const closed: RecorderEvent[] = [];
  const left: string[] = [];
  for (let i = 0; i < count; i++) {
    const number = first + i;
    const id = `m0e1kq2t-${number.toString(36).padStart(5, "0")}`;
    // the first ones come while the gateway is away and are held
    const at = Math.round(from + (i < CUT ? (i * OUTAGE_MS) / CUT : (i * (LIFE_MS - OUTAGE_MS)) / count));
    const address = `203.0.113.${number % ADDRESSES}`;
    served.push(
      { type: "connection-opened", id, at, address, origin: "https://panel.example", path: "/" },
      { type: "connection-served", id, generation: life + 1 },
      {
        type: "connection-identified",
        id,
        client: { clientId: `panel-${number % CLIENTS}`, clientVersion: "2026.9.1", role: "operator" },
      },
    );
    if (i >= count - CUT) left.push(id);
    else {
      const closedAt = at + ((number * 7_919) % 20_000);
      const how = ENDS[number % ENDS.length]!;
      closed.push({ type: "connection-closed", id, end: { ...TRAFFIC, ...how, at: closedAt, reason: "" } });
    }
  }
  const how = isCrash(life)
    ? ({ code: null, reason: "gateway exited with code 1", cause: "gateway-ended" } as const)
    : ({ code: 1012, reason: "gateway restarts", cause: "planned-restart" } as const);
  const cut = (at: number) =>
    left.map((id): RecorderEvent => {
      return { type: "connection-closed", id, end: { ...TRAFFIC, ...how, by: "gateway", at } };
    });
  return { served: [...served, ...closed], cut };
}

const TRAFFIC = {
  phase: "open",
  bytesIn: 18_231,
  bytesOut: 240_112,
  framesIn: 61,
  framesOut: 402,
  lastActivityAt: 0,
  rttMs: 23.4,
} as const satisfies Partial<ConnectionEnd>;

/** As many as thinning leaves: every 10 s of the last day, every minute of its week, every 10 minutes before. */
function addSamples(chronicle: Chronicle, from: number, until: number): void {
  const age = until - from;
  const stepMs = age < DAY_MS ? 10_000 : age < 7 * DAY_MS ? 60_000 : 600_000;
  for (let at = Math.ceil(from / stepMs) * stepMs; at < from + LIFE_MS; at += stepMs) {
    const memory = { rssBytes: 90e6, heapBytes: 30e6, gatewayRssBytes: 210e6, memoryAvailableBytes: 8e9 };
    const delays = { loopP50Ms: 1, loopP99Ms: 4, rttP50Ms: 20, rttP99Ms: 90 };
    const sample = { at, connections: 40, held: 0, ...memory, ...delays, diskFreeBytes: 80e9 };
    chronicle.take({ type: "sample", sample });
  }
}

type Role = Exclude<RunRecord["role"], "control">;

function event<T extends object>(role: Role, life: number, at: number, what: T) {
  const pid = { supervisor: 1_000, edge: 2_000, gateway: 10_000 }[role] + life;
  const whose = {
    v: 1,
    bootId: "1f0c6a55-2e0b-4c39-9b8e-5d0e3f7a9c11",
    role,
    generation: life + 1,
    pid,
  } as const;
  return { ...whose, at: new Date(at).toISOString(), ...what };
}

function start(role: Role, life: number, at: number): RunRecord {
  const command = `/usr/bin/node /usr/lib/node_modules/clawkit/dist/${role}.js`;
  const what = { event: "start", startTime: String(at), command, ownGroup: true } as const;
  return event(role, life, at, { ...what, configHash: "0a1b2c3d4e5f" });
}

function end(role: Role, life: number, at: number, by: "itself" | "operator"): RunRecord {
  const how = { code: by === "itself" ? 1 : 0, signal: null, by };
  const lastLines = by === "itself" ? LAST_LINES : [];
  return event(role, life, at, { event: "end", end: how, uptimeMs: Math.round(LIFE_MS), lastLines } as const);
}

/** What a run log just before its rotation has. */
function lastOf(log: readonly RunRecord[]): string {
  const lines: string[] = [];
  let bytes = 0;
  for (const record of log.toReversed()) {
    const line = `${JSON.stringify(record)}\n`;
    bytes += line.length;
    if (bytes > RUN_LOG_BYTES) break;
    lines.push(line);
  }
  return lines.reverse().join("");
}
