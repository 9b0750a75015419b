/** Where a line of a log file came from: standard output, standard error, our own words, or the mark of an end. */
export type LogStream = "out" | "err" | "log" | "end";

export interface LogLine {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly stream: LogStream;
  readonly text: string;
}

/** `2026-11-22T14:03:22.123Z err text`: one line of every log file. */
export function formatLogLine(line: LogLine): string {
  return `${line.time} ${line.stream} ${line.text}`;
}

const PATTERN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (out|err|log|end) (.*)$/;

/** Undefined for a line that is none of ours (a hand-edited file, half a line after a crash). */
export function parseLogLine(text: string): LogLine | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  return { time: match[1]!, stream: match[2] as LogStream, text: match[3]! };
}
