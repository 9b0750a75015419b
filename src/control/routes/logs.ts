import { LOG_SOURCES, LogFile, mergeLines } from "../../host/log-files.ts";
import type { LogTail } from "../contract.ts";
import { type Call, numberIn, type Route, wordIn } from "../route.ts";

const MAX_LINES = 2_000;

const STREAMS = ["all", "out", "err", "log", "end"] as const;

export const logRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/logs",
    what: "the last lines of all logs, merged (`source`, `stream`, `q`, `after` an ISO time, `before` one, `limit`)",
    handle: logs,
  },
];

async function logs({ deps, query }: Call): Promise<LogTail> {
  const source = wordIn(query, "source", ["all", ...LOG_SOURCES], "all");
  const stream = wordIn(query, "stream", STREAMS, "all");
  const text = (query.get("q") ?? "").toLowerCase();
  const after = query.get("after") ?? "";
  const before = query.get("before") ?? "~"; // sorts behind every time
  const limit = numberIn(query, "limit", { preset: 200, min: 1, max: MAX_LINES });
  const sources = source === "all" ? LOG_SOURCES : [source];
  const read = async (how: "readNew" | "readAll") => {
    const files = sources.map((one) => new LogFile(one, deps.logsDir));
    const lines = mergeLines(await Promise.all(files.map((file) => file[how]())));
    return lines
      .filter((line) => line.time > after && line.time < before)
      .filter((line) => stream === "all" || line.stream === stream)
      .filter((line) => text === "" || line.text.toLowerCase().includes(text))
      .slice(-limit);
  };
  const recent = await read("readNew");
  // the rotated files are read only for whoever looks further back
  const lines = recent.length >= limit || after !== "" ? recent : await read("readAll");
  return { apiVersion: 1, lines };
}
