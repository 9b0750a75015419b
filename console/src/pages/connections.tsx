import type {
  ConnectionRow,
  LinkSort,
  LiveLink,
  ConnectionsPage as Page,
} from "../../../src/control/contract.ts";
import { useResource } from "../api/use-resource.ts";
import { bytes, count, duration, milliseconds, words } from "../format.ts";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { SearchField } from "../parts/search-field.tsx";
import { Time } from "../parts/time.tsx";
import { changeQuery, Link, usePlace } from "../router.tsx";

const LIVE_EVERY_MS = 2_000;
const PER_PAGE = 50;

/** The server goes no further: whoever pages on looks for something, which a filter finds. */
const MAX_OFFSET = 10_000;

const change = (next: Record<string, string>) => changeQuery({ offset: "", ...next });

export function ConnectionsPage() {
  const { query } = usePlace();
  const state = query.get("state") === "closed" ? "closed" : "live";
  const sort = query.get("sort") ?? "since";
  const order = query.get("order") ?? "desc";
  const text = query.get("q") ?? "";
  const offset = Number(query.get("offset") ?? 0);
  const ask = new URLSearchParams({
    state,
    sort,
    order,
    q: text,
    offset: String(offset),
    limit: String(PER_PAGE),
  });
  const { data, error, reload } = useResource<Page>(`/connections?${ask}`, () =>
    state === "live" ? LIVE_EVERY_MS : undefined,
  );
  return (
    <>
      <h1>Connections</h1>
      <div class="row filters">
        <fieldset class="spans">
          <legend class="for-readers">Which</legend>
          {(["live", "closed"] as const).map((value) => (
            <label key={value}>
              <input
                type="radio"
                name="state"
                checked={state === value}
                onChange={() => change({ state: value === "live" ? "" : value })}
              />
              <span>{value === "live" ? "Open" : "Closed"}</span>
            </label>
          ))}
        </fieldset>
        <SearchField
          label="Filter"
          value={text}
          hint={state === "live" ? "Part of an id, address or client" : "A client's id, or its address"}
          onChange={(q) => change({ q })}
        />
      </div>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined && <div class="skeleton" />
      ) : data.state === "live" ? (
        <>
          <p class="fine">{count(data.total, "connection")}</p>
          {data.total === 0 ? (
            <Empty>{text === "" ? "Nobody is connected." : "No open connection fits."}</Empty>
          ) : (
            <LiveTable
              links={data.links}
              sort={sort}
              isDescending={order === "desc"}
              onSort={(next) =>
                change({ sort: next, order: next === sort && order === "desc" ? "asc" : "desc" })
              }
            />
          )}
          <Pages total={data.total} offset={offset} onChange={(next) => change({ offset: String(next) })} />
        </>
      ) : (
        <>
          <p class="fine">{count(data.total, "connection")} on record</p>
          {data.total === 0 ? (
            <Empty>No closed connection fits.</Empty>
          ) : (
            <ClosedTable rows={data.connections} />
          )}
          <Pages total={data.total} offset={offset} onChange={(next) => change({ offset: String(next) })} />
        </>
      )}
    </>
  );
}

interface LiveTableProps {
  readonly links: readonly LiveLink[];
  readonly sort: string;
  readonly isDescending: boolean;
  readonly onSort: (sort: LinkSort) => void;
}

const COLUMNS: readonly (readonly [LinkSort, string])[] = [
  ["since", "Since"],
  ["idle", "Idle"],
  ["rtt", "Round trip"],
  ["bytes", "Bytes in / out"],
];

function LiveTable({ links, sort, isDescending, onSort }: LiveTableProps) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>Client</th>
            <th>Address</th>
            {COLUMNS.map(([key, name]) => (
              <th
                key={key}
                class="number"
                aria-sort={sort !== key ? undefined : isDescending ? "descending" : "ascending"}
              >
                <button type="button" class="sort" onClick={() => onSort(key)}>
                  {name}
                  <span aria-hidden="true">{sort !== key ? " ↕" : isDescending ? " ↓" : " ↑"}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <tr key={link.id}>
              <td data-label="Client" class="wide">
                <Link to={`/connections/${link.id}`}>{link.clientId ?? link.id}</Link>
                {(link.clientVersion ?? link.role) !== null && (
                  <span class="fine"> {[link.clientVersion, link.role].filter(Boolean).join(", ")}</span>
                )}
              </td>
              <td data-label="Address">{link.address}</td>
              <td data-label="Since" class="number">
                <Time at={link.openedAt} />
              </td>
              <td data-label="Idle" class="number">
                {duration(link.idleMs)}
              </td>
              <td data-label="Round trip" class="number">
                {milliseconds(link.rttMs)}
              </td>
              <td data-label="Bytes in / out" class="number">
                {bytes(link.bytesIn)} / {bytes(link.bytesOut)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ClosedTable({ rows }: { readonly rows: readonly ConnectionRow[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>Client</th>
            <th>Address</th>
            <th class="number">Ended</th>
            <th class="number">Lasted</th>
            <th>Cause</th>
            <th>Told</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, clientId, address, openedAt, end }) => (
            <tr key={id}>
              <td data-label="Client" class="wide">
                <Link to={`/connections/${id}`}>{clientId ?? id}</Link>
              </td>
              <td data-label="Address">{address}</td>
              <td data-label="Ended" class="number">
                {end === null ? "open" : <Time at={end.at} />}
              </td>
              <td data-label="Lasted" class="number">
                {end === null ? "" : duration(end.at - openedAt)}
              </td>
              <td data-label="Cause">{end === null ? "" : words(end.cause)}</td>
              <td data-label="Told">
                {end === null ? "" : end.code === null ? "no close frame" : `${end.code} ${end.reason}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface PagesProps {
  readonly total: number;
  readonly offset: number;
  readonly onChange: (offset: number) => void;
}

function Pages({ total, offset, onChange }: PagesProps) {
  if (total <= PER_PAGE) return null;
  const last = Math.min(offset + PER_PAGE, total);
  const isLast = last >= total || offset + PER_PAGE > MAX_OFFSET;
  return (
    <nav class="row" aria-label="Pages of the table">
      <button type="button" disabled={offset === 0} onClick={() => onChange(Math.max(0, offset - PER_PAGE))}>
        Before
      </button>
      <span>
        {(offset + 1).toLocaleString()} to {last.toLocaleString()} of {total.toLocaleString()}
        {isLast && last < total && ": the filter finds the others"}
      </span>
      <button type="button" disabled={isLast} onClick={() => onChange(offset + PER_PAGE)}>
        Next
      </button>
    </nav>
  );
}
