import { useCallback, useState } from "preact/hooks";
import type { IncidentSummary, Overview, Restart } from "../../../src/control/contract.ts";
import { useIncidentNews, useLive } from "../api/live.ts";
import { useResource } from "../api/use-resource.ts";
import { bytes, count, milliseconds, words } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { IncidentLine } from "../parts/incident-line.tsx";
import { type Line, LineChart, POWERS_OF_TWO, WHOLE } from "../parts/line-chart.tsx";
import { type Bucket, StackedBars } from "../parts/stacked-bars.tsx";
import { Time } from "../parts/time.tsx";
import { Link } from "../router.tsx";

const SPANS = [
  ["1", "Hour"],
  ["24", "Day"],
  ["168", "Week"],
  ["720", "30 days"],
] as const;

/** The recorder takes a sample every 10 s. */
const RELOAD_MS = 10_000;

export function OverviewPage() {
  const [hours, setHours] = useState<string>("24");
  const { data, error, reload } = useResource<Overview>(`/overview?hours=${hours}`, RELOAD_MS);
  useIncidentNews(useCallback(() => reload(), [reload]));
  const { tick } = useLive();
  return (
    <>
      <h1>Overview</h1>
      <p class="sentence" role="status">
        {tick?.sentence ?? data?.sentence ?? "…"}
      </p>
      {tick !== undefined && tick.state !== "healthy" && (
        <p>
          <Link to="/doctor" class="button primary">
            Run the doctor
          </Link>
        </p>
      )}
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
      {data === undefined ? <div class="skeleton" /> : <Charts overview={data} />}
    </>
  );
}

function Charts({ overview }: { readonly overview: Overview }) {
  const { samples, from, to, memory } = overview;
  const axis = { times: samples.map(({ at }) => at), from, to };
  const line = (label: string, colour: Line["colour"], values: Line["values"]): Line => ({
    label,
    colour,
    values,
  });
  const limit = memory.heapLimitBytes;
  return (
    <>
      <section class="card" aria-labelledby="disconnects">
        <h2 id="disconnects">Disconnects by cause</h2>
        <Disconnects overview={overview} />
      </section>
      <div class="grid">
        <section class="card">
          <LineChart
            {...axis}
            title="Connections"
            steps={WHOLE}
            format={(value) => Math.round(value).toLocaleString()}
            lines={[
              line(
                "open",
                "--line-1",
                samples.map(({ connections }) => connections),
              ),
              line(
                "held",
                "--line-2",
                samples.map(({ held }) => held),
              ),
            ]}
          />
        </section>
        <section class="card">
          <LineChart
            {...axis}
            title="Memory"
            format={bytes}
            steps={POWERS_OF_TWO}
            lines={[
              line(
                "gateway",
                "--line-1",
                samples.map(({ gatewayRssBytes }) => gatewayRssBytes),
              ),
              line(
                "edge",
                "--line-3",
                samples.map(({ rssBytes }) => rssBytes),
              ),
              ...(limit === null
                ? []
                : [
                    {
                      ...line(
                        "heap limit",
                        "--line-2",
                        samples.map(() => limit),
                      ),
                      isDashed: true,
                    },
                  ]),
            ]}
          />
          <p class="fine">
            {memory.availableBytes === null
              ? ""
              : `${bytes(memory.availableBytes)} are free on this machine. `}
            {limit === null && (
              <>
                No limit is set (<code>supervisor.heapMb</code>).
              </>
            )}
          </p>
        </section>
        <section class="card">
          <LineChart
            {...axis}
            title="Event-loop delay of the edge"
            format={milliseconds}
            lines={[
              line(
                "p50",
                "--line-1",
                samples.map(({ loopP50Ms }) => loopP50Ms),
              ),
              line(
                "p99",
                "--line-2",
                samples.map(({ loopP99Ms }) => loopP99Ms),
              ),
            ]}
          />
        </section>
        <section class="card">
          <LineChart
            {...axis}
            title="Round trip to clients"
            format={milliseconds}
            lines={[
              line(
                "p50",
                "--line-1",
                samples.map(({ rttP50Ms }) => rttP50Ms),
              ),
              line(
                "p99",
                "--line-2",
                samples.map(({ rttP99Ms }) => rttP99Ms),
              ),
            ]}
          />
        </section>
        <section class="card">
          <h2>Incidents</h2>
          <Incidents incidents={overview.incidents} />
        </section>
        <section class="card">
          <h2>Starts of the gateway</h2>
          <Restarts restarts={overview.restarts} />
        </section>
      </div>
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
          <li key={`${at} ${generation}`}>
            <Time at={at} /> {after?.isPlanned === true && <Badge word="info" text="planned" />}{" "}
            {after === null ? "first start" : after.summary}
            <span class="fine">
              {" "}
              {readyAt === null ? "not ready yet" : `ready after ${milliseconds(readyAt - at)}`}
            </span>
          </li>
        ))}
      </ul>
      {restarts.length > SHOWN && <p class="fine">{count(restarts.length, "start")} in all</p>}
    </>
  );
}
