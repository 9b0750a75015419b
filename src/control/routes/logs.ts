import { LogFile } from "../../host/log-files.ts";
import { ApiError } from "../api-error.ts";
import type { LogTail } from "../contract.ts";
import { streamOf } from "../event-stream.ts";
import { lastLines, logQuery } from "../log-query.ts";
import type { Call, Route } from "../route.ts";

/** A page of 2000 long lines that goes through a slow tunnel, and what is printed meanwhile. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

export const logRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/logs",
    what: "the last lines of all logs, merged (`source`, `stream`, `level`: `warn` is warn and error, `q`, `after` an ISO time, `before` one, `limit`)",
    handle: logs,
  },
  {
    method: "GET",
    path: "/logs/events",
    what: "events `lines`: first what `GET /logs` gives for the same query, then what is printed from then on",
    handle: follow,
  },
];

async function logs({ deps, query: asked }: Call): Promise<LogTail> {
  const query = logQuery(asked);
  const files = query.sources.map((source) => new LogFile(source, deps.logsDir));
  return { apiVersion: 1, lines: await lastLines(files, query) };
}

async function follow(call: Call): Promise<undefined> {
  const { logFeed, query } = call;
  const wanted = logQuery(query);
  if (!logFeed.hasRoom) throw new ApiError("BUSY", "Too many consoles follow the logs: close one");
  logFeed.add(streamOf(call, MAX_UNREAD_BYTES), wanted);
  return undefined;
}
