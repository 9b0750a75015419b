import { useState } from "preact/hooks";
import type { ConnectionDetail } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { bytes, count, duration, milliseconds, words } from "../format.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failure } from "../parts/failure.tsx";
import { Story } from "../parts/story.tsx";
import { Time } from "../parts/time.tsx";
import { Link } from "../router.tsx";
import { ClosedTable } from "./connections.tsx";

const EVERY_MS = 5_000;

/** One that was closed stays as it is. */
function untilClosed(detail: ConnectionDetail | undefined): number | undefined {
  return detail !== undefined && detail.connection.end !== null ? undefined : EVERY_MS;
}

export function ConnectionPage({ id }: { readonly id: string }) {
  const { data, error, reload } = useResource<ConnectionDetail>(`/connections/${id}`, untilClosed);
  return (
    <>
      <p class="crumbs">
        <Link to="/connections">Connections</Link> › {id}
      </p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined && <div class="skeleton" />
      ) : (
        <Connection detail={data} onClosed={reload} />
      )}
    </>
  );
}

function Connection({
  detail,
  onClosed,
}: {
  readonly detail: ConnectionDetail;
  readonly onClosed: () => void;
}) {
  const { connection, live, told, others, incident } = detail;
  const { id, clientId, clientVersion, role, address, origin, path, openedAt, generation, end } = connection;
  const counted = end ?? live;
  return (
    <>
      <h1>{told.headline}</h1>
      <dl class="facts">
        <dt>Client</dt>
        <dd>{[clientId, clientVersion, role].filter(Boolean).join(", ") || "has not said who it is"}</dd>
        <dt>Address</dt>
        <dd>
          {address}
          {origin === null ? "" : `, page of ${origin}`}
        </dd>
        <dt>Path</dt>
        <dd>{path}</dd>
        <dt>Since</dt>
        <dd>
          <Time at={openedAt} />
          {end === null ? "" : `, for ${duration(end.at - openedAt)}`}
        </dd>
        {counted !== null && (
          <>
            <dt>Bytes in / out</dt>
            <dd>
              {bytes(counted.bytesIn)} / {bytes(counted.bytesOut)}
            </dd>
            <dt>Round trip</dt>
            <dd>{milliseconds(counted.rttMs)}</dd>
          </>
        )}
        {live !== null && (
          <>
            <dt>Idle</dt>
            <dd>{duration(live.idleMs)}</dd>
          </>
        )}
        <dt>Gateway's life</dt>
        <dd>{generation === null ? "not served yet" : `number ${generation}`}</dd>
        {end !== null && (
          <>
            <dt>Ended</dt>
            <dd>
              <Time at={end.at} />, {words(end.cause)}
            </dd>
          </>
        )}
        {incident !== null && (
          <>
            <dt>Incident</dt>
            <dd>
              <Link to={`/incidents/${incident.id}`}>{incident.summary}</Link>
            </dd>
          </>
        )}
      </dl>
      {live !== null && <CloseIt id={id} onClosed={onClosed} />}
      <Story told={told} />
      <section class="card" aria-labelledby="others">
        <h2 id="others">Others of the same client</h2>
        {others.length === 0 ? (
          <p class="fine">This is the only one on record.</p>
        ) : (
          <>
            <p class="fine">{count(others.length, "connection")}, newest first</p>
            <ClosedTable rows={others} />
          </>
        )}
      </section>
    </>
  );
}

/** What a Close frame has room for, less what says that a person did it. */
const MAX_REASON_BYTES = 100;

function CloseIt({ id, onClosed }: { readonly id: string; readonly onClosed: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error>();
  const size = new TextEncoder().encode(reason).length;
  const close = async () => {
    setIsAsking(false);
    try {
      await post(`/connections/${id}/close`, { reason });
      setError(undefined);
      onClosed();
    } catch (thrown) {
      setError(thrown as Error);
    }
  };
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <p>
        <button type="button" onClick={() => setIsAsking(true)}>
          Close this connection …
        </button>
      </p>
      {isAsking && (
        <Dialog
          title="Close this connection?"
          yes="Close it"
          isDangerous
          canSay={reason.trim() !== "" && size <= MAX_REASON_BYTES}
          onYes={() => void close()}
          onNo={() => setIsAsking(false)}
        >
          <p>The client is told 1013 with your reason; most clients come back at once. It is written down.</p>
          <label for="reason">Reason ({MAX_REASON_BYTES - size} bytes left)</label>
          <input
            id="reason"
            value={reason}
            onInput={({ currentTarget }) => setReason(currentTarget.value)}
            required
          />
        </Dialog>
      )}
    </>
  );
}
