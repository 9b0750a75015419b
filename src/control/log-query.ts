import { isAtLeast, LOG_LEVELS, type LogLevel } from "../core/log-level.ts";
import {
  entryOf,
  LOG_SOURCES,
  type LogEntry,
  type LogFile,
  type LogSource,
  mergeLines,
  type SourcedLine,
} from "../host/log-files.ts";
import { numberIn, wordIn } from "./route.ts";

export const MAX_LINES = 2_000;

const STREAMS = ["all", "out", "err", "log", "end"] as const;

/** Which lines somebody wants to see. */
export interface LogQuery {
  readonly sources: readonly LogSource[];
  readonly stream: (typeof STREAMS)[number];
  readonly level: LogLevel;
  /** In small letters; empty for all. */
  readonly text: string;
  /** ISO 8601, both excluded. */
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

/** Throws BAD_REQUEST. */
export function logQuery(query: URLSearchParams): LogQuery {
  const source = wordIn(query, "source", ["all", ...LOG_SOURCES], "all");
  return {
    sources: source === "all" ? LOG_SOURCES : [source],
    stream: wordIn(query, "stream", STREAMS, "all"),
    level: wordIn(query, "level", LOG_LEVELS, "info"),
    text: (query.get("q") ?? "").toLowerCase(),
    after: query.get("after") ?? "",
    before: query.get("before") ?? "~", // sorts behind every time
    limit: numberIn(query, "limit", { preset: 200, min: 1, max: MAX_LINES }),
  };
}

export function isWanted({ source, stream, level, text, time }: LogEntry, query: LogQuery): boolean {
  return (
    query.sources.includes(source) &&
    (query.stream === "all" || stream === query.stream) &&
    isAtLeast(level, query.level) &&
    (query.text === "" || text.toLowerCase().includes(query.text)) &&
    time > query.after &&
    time < query.before
  );
}

/** The last lines that are wanted, merged, from where the files were read to. */
export async function lastLines(files: readonly LogFile[], query: LogQuery): Promise<LogEntry[]> {
  const { limit, after: since, sources } = query;
  const wanted = (line: SourcedLine) => isWanted(entryOf(line), query);
  const asked = files.filter(({ source }) => sources.includes(source));
  const found = await Promise.all(asked.map((file) => file.readBack({ wanted, limit, since })));
  return mergeLines(found).slice(-limit).map(entryOf);
}
