import { LINK_SORTS, type LinkPage, type LinkQuery, type LiveLink } from "../../core/messages.ts";
import type { ConnectionFilter } from "../../recorder/store.ts";
import { tellConnection } from "../../recorder/story.ts";
import { ApiError } from "../api-error.ts";
import { readJson, textIn } from "../body.ts";
import type { ConnectionDetail, ConnectionsPage } from "../contract.ts";
import type { ControlDeps } from "../deps.ts";
import { recordAction } from "../record-action.ts";
import { type Call, numberIn, type Route, wordIn } from "../route.ts";

const MAX_LIMIT = 200;

/** Whoever pages further looks for something: a filter finds it. */
const MAX_OFFSET = 10_000;

const MAX_OTHERS = 50;

/** A Close frame's reason has 123 bytes (RFC 6455 §5.5), some of which say that a person did it. */
const MAX_REASON_BYTES = 100;

export const connectionRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/connections",
    what: "a page of open connections (`q`, `sort`, `order`, `offset`, `limit`), or of closed ones (`state=closed`; `q` is a client id or address)",
    handle: connections,
  },
  {
    method: "GET",
    path: "/connections/:id",
    what: "one connection, its story, and others of the same client",
    handle: connection,
  },
  {
    method: "POST",
    path: "/connections/:id/close",
    what: "close it with 1013 and a `reason`",
    handle: close,
  },
];

async function connections({ deps, query }: Call): Promise<ConnectionsPage> {
  const text = (query.get("q") ?? "").trim().slice(0, 200);
  const offset = numberIn(query, "offset", { preset: 0, min: 0, max: MAX_OFFSET });
  const limit = numberIn(query, "limit", { preset: 50, min: 1, max: MAX_LIMIT });
  if (wordIn(query, "state", ["live", "closed"], "live") === "live") {
    const sort = wordIn(query, "sort", LINK_SORTS, "since");
    const isDescending = wordIn(query, "order", ["asc", "desc"], "desc") === "desc";
    const page = await linksOf(deps, { text, sort, isDescending, offset, limit });
    return { apiVersion: 1, state: "live", ...page };
  }
  const filter: ConnectionFilter = { state: "closed", ...(text === "" ? {} : { client: text }) };
  return await deps.records((store) => ({
    apiVersion: 1,
    state: "closed",
    total: store.countConnections(filter),
    connections: store.connections(filter, offset + limit).slice(offset),
  }));
}

async function linksOf(deps: ControlDeps, query: LinkQuery): Promise<LinkPage> {
  const answer = await deps.askEdge({ kind: "links", ...query });
  if (answer.kind === "links") return answer.page;
  throw new ApiError("NOT_FOUND", "The edge answered something else");
}

async function connection({ deps, params }: Call): Promise<ConnectionDetail> {
  const id = params.id!;
  const found = await deps.records((store) => {
    const row = store.connection(id);
    if (row === undefined) return undefined;
    const others = store.connections({ client: row.clientId ?? row.address }, MAX_OTHERS + 1);
    return {
      connection: row,
      others: others.filter((other) => other.id !== id).slice(0, MAX_OTHERS),
      incident: row.incident === null ? null : (store.incident(row.incident) ?? null),
    };
  });
  if (found === undefined)
    throw new ApiError(
      "NOT_FOUND",
      `No connection ${id} is recorded; what has just begun is written down within seconds`,
    );
  const live = found.connection.end === null ? await liveOf(deps, id) : null;
  const told = tellConnection(found.connection, deps, deps.clock.wall());
  return { apiVersion: 1, ...found, live, told };
}

/** What the edge knows of it now; null if it has just closed, or there is no edge. */
async function liveOf(deps: ControlDeps, id: string): Promise<LiveLink | null> {
  const query: LinkQuery = { text: id, sort: "since", isDescending: true, offset: 0, limit: MAX_LIMIT };
  const page = await linksOf(deps, query).catch(() => undefined);
  return page?.links.find((link) => link.id === id) ?? null;
}

async function close({ deps, params, request, session }: Call): Promise<object> {
  const id = params.id!;
  const reason = textIn(await readJson(request), "reason", MAX_REASON_BYTES);
  const answer = await deps.askEdge({ kind: "close-link", link: id, reason: `by operator: ${reason}` });
  if (answer.kind !== "link-closed" || !answer.wasOpen) {
    throw new ApiError("NOT_FOUND", `Connection ${id} is not open`);
  }
  await recordAction(deps, session, `closed connection ${id}: ${JSON.stringify(reason)}`);
  return { ok: true };
}
