import type { IncidentSummary } from "../../../src/control/contract.ts";
import { count, duration, words } from "../format.ts";
import { Link } from "../router.tsx";
import { Time } from "./time.tsx";

/** An incident in a list: when, what, how long, whom it cost. */
export function IncidentLine({ incident }: { readonly incident: IncidentSummary }) {
  const { id, openedAt, closedAt, cause, connections } = incident;
  return (
    <li class="incident-line">
      <Link to={`/incidents/${id}`}>{words(cause)}</Link> <Time at={openedAt} />
      <span class="fine">
        {closedAt === null ? "ongoing" : duration(closedAt - openedAt)}, {count(connections, "client")}{" "}
        disconnected
      </span>
    </li>
  );
}
