import { useMemo, useState } from "preact/hooks";
import type { IncidentSummary, Overview, Restart } from "../../../src/control/contract.ts";
import { useIncidentNews, useLive } from "../api/live.ts";
import { useResource } from "../api/use-resource.ts";
import { count, duration, words } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { IncidentLine } from "../parts/incident-line.tsx";
import { Measured } from "../parts/measured.tsx";
import { type Bucket, StackedBars } from "../parts/stacked-bars.tsx";
import { Time } from "../parts/time.tsx";
import { Link } from "../router.tsx";

const SPANS = [
  ["1", "Hour"],
  ["24", "Day"],
  ["168", "Week"],
  ["720", "30 days"],
] as const;

/** The edge takes a sample every 10 s. */
const SAMPLE_MS = 10_000;

export function OverviewPage() {
  const [hours, setHours] = useState<string>("24");
  const { data, error, reload } = useResource<Overview>(`/overview?hours=${hours}`, everySample);
  useIncidentNews(reload);
  // a tick changes the sentence, and none of the charts
  const charts = useMemo(() => data && <Charts overview={data} />, [data]);
  return (
    <>
      <h1>Overview</h1>
      <Sentence before={data?.sentence} />
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      <fieldset class="spans">
        <legend class="for-readers">Time span</legend>
        {SPANS.map(([value, name]) => (
          <label key={value}>
            <input type="radio" name="span" checked={hours === value} onChange={() => setHours(value)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      {charts ?? (error === undefined && <div class="skeleton" />)}
    </>
  );
}

function everySample(): number {
  return SAMPLE_MS;
}

/** How it is, in a sentence; its place is kept, with the button's. */
function Sentence({ before }: { readonly before: string | undefined }) {
  const { tick } = useLive();
  return (
    <>
      <p class="sentence">{tick?.sentence ?? before ?? "…"}</p>
      {tick !== undefined && tick.state !== "healthy" && (
        <p>
          <Link to="/doctor" class="button primary">
            Run the doctor
          </Link>
        </p>
      )}
    </>
  );
}

function Charts({ overview }: { readonly overview: Overview }) {
  return (
    <>
      <section class="card" aria-labelledby="disconnects">
        <h2 id="disconnects">Disconnects by cause</h2>
        <Disconnects overview={overview} />
      </section>
      <div class="grid">
        {overview.samples.length === 0 ? (
          <section class="card">
            <h2>Connections, memory, delays</h2>
            <Empty>Nothing was measured in this time: the edge measures every 10 s while it runs.</Empty>
          </section>
        ) : (
          <Measured overview={overview} />
        )}
        <section class="card">
          <h2>Incidents</h2>
          <Incidents incidents={overview.incidents} />
        </section>
        <section class="card">
          <h2>Starts of the gateway</h2>
          <Restarts restarts={overview.restarts} />
        </section>
      </div>
      {overview.status.networkTimers.length > 0 && (
        <section class="card">
          <h2>Networks that forget silent connections</h2>
          <NetworkTimers timers={overview.status.networkTimers} />
        </section>
      )}
    </>
  );
}

/** Rows that a card shows before it points elsewhere. */
const SHOWN = 6;

function Disconnects({ overview }: { readonly overview: Overview }) {
  const { disconnects, incidents, from, to, bucketMs } = overview;
  if (disconnects.length === 0) return <Empty>Nobody was disconnected in this time.</Empty>;
  const buckets: Bucket[] = [];
  for (let at = from; at < to; at += bucketMs) buckets.push({ at, parts: [] });
  for (const { at, cause, count: number } of disconnects) {
    const index = Math.floor((at - from) / bucketMs);
    const bucket = buckets[index];
    if (bucket === undefined) continue;
    buckets[index] = { ...bucket, parts: [...bucket.parts, { name: words(cause), count: number }] };
  }
  const incidentsOf = ({ at }: Bucket) =>
    incidents.filter(({ openedAt, closedAt }) => openedAt < at + bucketMs && (closedAt ?? to) >= at);
  return (
    <StackedBars
      buckets={buckets}
      bucketMs={bucketMs}
      about={(bucket) => {
        const during = incidentsOf(bucket);
        if (during.length === 0) return <p class="fine">They belong to no incident.</p>;
        return (
          <ul class="plain">
            {during.slice(0, SHOWN).map((incident) => (
              <IncidentLine key={incident.id} incident={incident} />
            ))}
          </ul>
        );
      }}
    />
  );
}

function Incidents({ incidents }: { readonly incidents: readonly IncidentSummary[] }) {
  if (incidents.length === 0) return <Empty>No incident in this time.</Empty>;
  return (
    <>
      <ul class="plain">
        {incidents.slice(0, SHOWN).map((incident) => (
          <IncidentLine key={incident.id} incident={incident} />
        ))}
      </ul>
      {incidents.length > SHOWN && <Link to="/incidents">All {incidents.length}</Link>}
    </>
  );
}

function Restarts({ restarts }: { readonly restarts: readonly Restart[] }) {
  if (restarts.length === 0) return <Empty>It was not started in this time.</Empty>;
  return (
    <>
      <ul class="plain">
        {restarts.slice(0, SHOWN).map(({ at, generation, readyAt, after }) => (
          <li key={`${at} ${generation}`} class="incident-line">
            <Time at={at} />
            {after === null ? ", the first start" : `, after ${after.summary}`}{" "}
            {after?.isPlanned === true && <Badge word="info" text="planned" />}
            <span class="fine">
              {readyAt === null ? "not ready yet" : `ready after ${duration(readyAt - at)}`}
            </span>
          </li>
        ))}
      </ul>
      {restarts.length > SHOWN && <p class="fine">{count(restarts.length, "start")} in all</p>}
    </>
  );
}

/** What the keepalive has learned; pings go more often there. */
function NetworkTimers({ timers }: { readonly timers: Overview["status"]["networkTimers"] }) {
  const latest = [...timers].sort((a, b) => b.learnedAt - a.learnedAt);
  return (
    <>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th>Network</th>
              <th class="number">Pings every</th>
              <th class="number">Died after</th>
              <th class="number">Learned</th>
              <th class="number">Lost on trial</th>
            </tr>
          </thead>
          <tbody>
            {latest.slice(0, SHOWN).map(({ network, intervalMs, killedAfterMs, learnedAt, trialDrops }) => (
              <tr key={network}>
                <td data-label="Network">{network}</td>
                <td data-label="Pings every" class="number">
                  {duration(intervalMs)}
                </td>
                <td data-label="Died after" class="number">
                  {duration(killedAfterMs)}
                </td>
                <td data-label="Learned" class="number">
                  <Time at={learnedAt} />
                </td>
                <td data-label="Lost on trial" class="number">
                  {trialDrops}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {latest.length > SHOWN && <p class="fine">{count(latest.length, "network")} in all</p>}
    </>
  );
}
