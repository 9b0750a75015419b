import type { IncidentSummary } from "../../../src/control/contract.ts";
import { useIncidentNews } from "../api/live.ts";
import { useResource } from "../api/use-resource.ts";
import { duration, words } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { Time } from "../parts/time.tsx";
import { changeQuery, Link, usePlace } from "../router.tsx";

interface IncidentList {
  readonly incidents: readonly IncidentSummary[];
}

const KINDS = [
  ["", "All"],
  ["outage", "Outages"],
  ["burst", "Bursts"],
] as const;

const LIMIT = 200;

export function IncidentsPage() {
  const { data, error, reload } = useResource<IncidentList>(`/incidents?limit=${LIMIT}`);
  useIncidentNews(reload);
  const kind = usePlace().query.get("kind") ?? "";
  const shown = data?.incidents.filter((one) => kind === "" || one.kind === kind);
  return (
    <>
      <h1>Incidents</h1>
      <p>Outages of the gateway or the edge, and bursts of disconnects that look alike, newest first.</p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      <fieldset class="spans">
        <legend class="for-readers">Kind</legend>
        {KINDS.map(([value, name]) => (
          <label key={value}>
            <input
              type="radio"
              name="kind"
              checked={kind === value}
              onChange={() => changeQuery({ kind: value })}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      {shown === undefined ? (
        error === undefined && <div class="skeleton" />
      ) : shown.length === 0 ? (
        <Empty>Nothing of this kind is recorded. That is how it should be.</Empty>
      ) : (
        <IncidentTable incidents={shown} />
      )}
      {data?.incidents.length === LIMIT && <p class="fine">Only the newest {LIMIT} are listed.</p>}
    </>
  );
}

function IncidentTable({ incidents }: IncidentList) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>When</th>
            <th>What</th>
            <th>Cause</th>
            <th class="number">Lasted</th>
            <th class="number">Disconnected</th>
          </tr>
        </thead>
        <tbody>
          {incidents.map(({ id, openedAt, closedAt, summary, cause, verdict, role, connections }) => (
            <tr key={id}>
              <td data-label="When">
                <Time at={openedAt} />
              </td>
              <td data-label="What" class="wide">
                <Link to={`/incidents/${id}`}>
                  {role === "clients" ? "" : `${role}: `}
                  {summary}
                </Link>
              </td>
              <td data-label="Cause">
                {words(cause)} <Badge word={verdict} />
              </td>
              <td data-label="Lasted" class="number">
                {closedAt === null ? <Badge word="warn" text="ongoing" /> : duration(closedAt - openedAt)}
              </td>
              <td data-label="Disconnected" class="number">
                {connections.toLocaleString()}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
