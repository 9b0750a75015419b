import type { IncidentDetail } from "../../../src/control/contract.ts";
import { API } from "../api/client.ts";
import { useIncidentNews } from "../api/live.ts";
import { useResource } from "../api/use-resource.ts";
import { count, duration, words } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Failure } from "../parts/failure.tsx";
import { Story } from "../parts/story.tsx";
import { Time } from "../parts/time.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { Link } from "../router.tsx";

export function IncidentPage({ id }: { readonly id: string }) {
  const { data, error, reload } = useResource<IncidentDetail>(`/incidents/${id}`);
  useIncidentNews(reload, id);
  return (
    <>
      <p class="crumbs">
        <Link to="/incidents">Incidents</Link> › {id}
      </p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined ? error === undefined && <div class="skeleton" /> : <Incident detail={data} />}
    </>
  );
}

function Incident({ detail }: { readonly detail: IncidentDetail }) {
  const { incident, told } = detail;
  const { id, openedAt, closedAt, cause, verdict, evidence, unknown, connections, noticedBy } = incident;
  return (
    <>
      <h1>{told.headline}</h1>
      <dl class="facts">
        <dt>Cause</dt>
        <dd>
          {words(cause)} <Badge word={verdict} />
        </dd>
        <dt>Began</dt>
        <dd>
          <Time at={openedAt} />
        </dd>
        <dt>Lasted</dt>
        <dd>{closedAt === null ? <Badge word="warn" text="ongoing" /> : duration(closedAt - openedAt)}</dd>
        <dt>Cost</dt>
        <dd>
          {connections === 0 ? "nobody was disconnected" : `${count(connections, "client")} disconnected`}
        </dd>
        <dt>Noticed by</dt>
        <dd>the {noticedBy}</dd>
      </dl>
      <p class="row">
        <a class="button" href={`${API}/incidents/${id}/export`} download={`incident-${id}.json`}>
          Export
        </a>
        <Link class="button" to={`/logs?before=${encodeURIComponent(new Date(openedAt + 1).toISOString())}`}>
          The lines before it
        </Link>
      </p>
      <section class="card" aria-labelledby="evidence">
        <h2 id="evidence">Evidence</h2>
        {evidence.length === 0 ? (
          <p class="fine">Nothing else was recorded.</p>
        ) : (
          <ul>
            {evidence.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
        {unknown.length > 0 && (
          <>
            <h3>What is not known</h3>
            <ul>
              {unknown.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </>
        )}
      </section>
      <section class="card" aria-labelledby="timeline">
        <h2 id="timeline">Timeline</h2>
        <Timeline detail={detail} />
      </section>
      <Story told={told} without={["cause", "evidence", "not known", "noticed by"]} />
    </>
  );
}
