import type { Sample } from "../../core/records.ts";
import type { IncidentRow, RecorderStore, RunRow } from "../../recorder/store.ts";
import type { Overview, Restart } from "../contract.ts";
import { lookNow, summaryOf } from "../look.ts";
import { type Call, numberIn, type Route } from "../route.ts";

const HOUR_MS = 3_600_000;
const BYTES_PER_MB = 1024 * 1024;

/** More points than a chart has pixels to spare say nothing. */
const MAX_SAMPLES = 300;
const BUCKETS = 60;
const MAX_ROWS = 100;

export const overviewRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/overview",
    what: "state in a sentence, samples, disconnects by cause, incidents, restarts, memory; `hours` back (24, up to 720)",
    handle: overview,
  },
];

async function overview({ deps, endCounts, query }: Call): Promise<Overview> {
  const to = deps.clock.wall();
  const spanMs = numberIn(query, "hours", { preset: 24, min: 1, max: 720 }) * HOUR_MS;
  const bucketMs = spanMs / BUCKETS;
  // a bucket stays the same one from look to look
  const from = Math.floor((to - spanMs) / bucketMs) * bucketMs;
  const [now, config, rows] = await Promise.all([
    lookNow(deps),
    deps.config().catch(() => undefined),
    deps.records((store) => ({
      samples: store.samples(from, to),
      disconnects: endCounts.between(store, { from, to, bucketMs }),
      incidents: incidentsSince(store, from).map((row) => summaryOf(store, row)),
      // the one before them says why the first of them was started
      runs: store.runs({ role: "gateway", until: to }, MAX_ROWS + 1),
    })),
  ]);
  const last = rows.samples.at(-1);
  const heapMb = config?.supervisor.heapMb;
  return {
    apiVersion: 1,
    at: to,
    sentence: now.sentence,
    status: now.status,
    edgeConsole: now.edgeConsole,
    from,
    to,
    bucketMs,
    samples: thinned(rows.samples, (to - from) / MAX_SAMPLES),
    disconnects: rows.disconnects,
    incidents: rows.incidents,
    restarts: rows.runs
      .filter((run) => !isSpare(run, rows.runs))
      .map((run, index, runs) => restartOf(run, runs[index + 1]))
      .filter(({ at }, index) => at >= from && index < MAX_ROWS),
    memory: {
      gatewayRssBytes: last?.gatewayRssBytes ?? null,
      heapLimitBytes: heapMb === undefined ? null : heapMb * BYTES_PER_MB,
      availableBytes: last?.memoryAvailableBytes ?? null,
    },
  };
}

/** Those that began since then, and those that last, whenever they began. */
function incidentsSince(store: RecorderStore, from: number): IncidentRow[] {
  const lasting = store.incidents({ openOnly: true }, MAX_ROWS).filter(({ openedAt }) => openedAt < from);
  return [...store.incidents({ since: from }, MAX_ROWS), ...lasting];
}

/** It is, or was, to follow another one, which served all the time. */
function isSpare({ startedAt, readyAt, endedAt }: RunRow, runs: readonly RunRow[]): boolean {
  if (readyAt !== null) return false;
  const until = endedAt ?? Number.POSITIVE_INFINITY;
  return runs.some(
    (run) =>
      run.readyAt !== null && run.readyAt <= startedAt && (run.endedAt ?? Number.POSITIVE_INFINITY) >= until,
  );
}

function restartOf(run: RunRow, before: RunRow | undefined): Restart {
  const { startedAt: at, generation, readyAt } = run;
  if (before === undefined) return { at, generation, readyAt, after: null };
  const isPlanned = before.endedBy === "operator";
  const cause = isPlanned ? "planned-restart" : (before.exit?.cause ?? "ended-without-record");
  const summary = before.exit?.summary ?? "it ended";
  return { at, generation, readyAt, after: { cause, summary, isPlanned } };
}

/** One of each bucket, with the worst of it: an average would hide the spike that somebody looks for. */
function thinned(samples: readonly Sample[], bucketMs: number): Sample[] {
  const kept: Sample[] = [];
  let bucket = -1;
  for (const sample of samples) {
    const own = Math.floor(sample.at / bucketMs);
    const last = kept.at(-1);
    if (own === bucket && last !== undefined) kept[kept.length - 1] = worst(last, sample);
    else kept.push(sample);
    bucket = own;
  }
  return kept;
}

function worst(one: Sample, other: Sample): Sample {
  return {
    at: one.at,
    connections: Math.max(one.connections, other.connections),
    held: Math.max(one.held, other.held),
    rssBytes: Math.max(one.rssBytes, other.rssBytes),
    heapBytes: Math.max(one.heapBytes, other.heapBytes),
    loopP50Ms: Math.max(one.loopP50Ms, other.loopP50Ms),
    loopP99Ms: Math.max(one.loopP99Ms, other.loopP99Ms),
    rttP50Ms: of(Math.max, one.rttP50Ms, other.rttP50Ms),
    rttP99Ms: of(Math.max, one.rttP99Ms, other.rttP99Ms),
    gatewayRssBytes: of(Math.max, one.gatewayRssBytes, other.gatewayRssBytes),
    memoryAvailableBytes: of(Math.min, one.memoryAvailableBytes, other.memoryAvailableBytes),
    diskFreeBytes: of(Math.min, one.diskFreeBytes, other.diskFreeBytes),
  };
}

function of(
  choose: (one: number, other: number) => number,
  one: number | null,
  other: number | null,
): number | null {
  if (one === null || other === null) return one ?? other;
  return choose(one, other);
}
