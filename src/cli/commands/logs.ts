import { ClawkitError } from "../../core/errors.ts";
import { LOG_SOURCES, LogFile, type LogSource, mergeLines, type SourcedLine } from "../../host/log-files.ts";
import type { CliContext } from "../context.ts";
import { limitOf, sinceOf } from "../listing-options.ts";
import { localTime } from "../output/time.ts";

export interface LogsOptions {
  readonly follow?: boolean;
  readonly source?: string;
  readonly since?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

const DEFAULT_LIMIT = 200;
const FOLLOW_POLL_MS = 200;

/** Reads the files themselves, so it works with everything down. */
export async function logs(context: CliContext, options: LogsOptions): Promise<number> {
  const sources = chosenSources(options.source ?? "all");
  const since = sinceOf(options.since, context) ?? 0;
  // a time span is a limit of its own
  const limit =
    options.limit === undefined && options.since !== undefined
      ? Infinity
      : limitOf(options.limit, DEFAULT_LIMIT);
  const files = sources.map((source) => new LogFile(source, context.paths.logsDir));

  const past = mergeLines(await Promise.all(files.map((file) => file.readAll())));
  const shown = past.filter((line) => Date.parse(line.time) >= since).slice(-limit);
  if (shown.length === 0 && !options.follow) {
    if (!options.json) context.out.line(`No log lines in ${context.paths.logsDir}`);
    return 0;
  }
  print(shown, context, options);
  if (!options.follow) return 0;

  while (!context.interrupted.aborted) {
    await untilPollOrInterrupt(context.interrupted);
    print(mergeLines(await Promise.all(files.map((file) => file.readNew()))), context, options);
  }
  return 0;
}

function print(lines: readonly SourcedLine[], context: CliContext, options: LogsOptions): void {
  for (const [i, line] of lines.entries()) {
    if (options.json) {
      context.out.line(JSON.stringify(line));
      continue;
    }
    context.out.line(render(line, isLastWords(lines, i), context));
  }
}

/** The line before an end is the one that tells most. */
function isLastWords(lines: readonly SourcedLine[], i: number): boolean {
  const line = lines[i]!;
  const next = lines.slice(i + 1).find((other) => other.source === line.source);
  return line.stream !== "end" && next?.stream === "end";
}

function render(line: SourcedLine, isLast: boolean, { out }: CliContext): string {
  const time = localTime(new Date(line.time));
  if (line.stream === "end") return out.style(["red", "bold"], `━━ ${time} ${line.text}`);
  const prefix = out.style("dim", `${time} ${line.source.padEnd(10)}`);
  if (isLast) return `${prefix} ${out.style("yellow", line.text)}`;
  return `${prefix} ${line.stream === "err" ? out.style("red", line.text) : line.text}`;
}

function chosenSources(text: string): readonly LogSource[] {
  if (text === "all") return LOG_SOURCES;
  const source = LOG_SOURCES.find((name) => name === text);
  if (source === undefined) {
    throw new ClawkitError("USAGE", `--source must be one of all, ${LOG_SOURCES.join(", ")}, not ${text}`);
  }
  return [source];
}

function untilPollOrInterrupt(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, FOLLOW_POLL_MS);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
