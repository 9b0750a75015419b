import type { LogEntry } from "../../host/log-files.ts";
import type { Words } from "../../recorder/story.ts";
import { counted, sentence } from "./sentence.ts";
import type { LogStep, Step, StepAnswer } from "./types.ts";

const MINUTE_MS = 60_000;

/** Lines that are shown, and how much of each. */
const SHOWN = 10;
const MAX_TEXT = 300;

export const logSteps: readonly Step[] = [
  logs(/^(openclaw|clawkit) logs --follow$/, { source: "all" }),
  logs(/^clawkit logs --source gateway --since 10m$/, { source: "gateway", sinceMs: 10 * MINUTE_MS }),
  logs(/^clawkit logs --source gateway --since 1h$/, { source: "gateway", sinceMs: 60 * MINUTE_MS }),
];

function logs(command: RegExp, what: Pick<LogStep, "source" | "sinceMs">): { command: RegExp } & LogStep {
  return { kind: "logs", command, ...what, tell };
}

/** The last lines, and the one that the page wants to be found: the line before the crash. */
function tell(entries: readonly LogEntry[], words: Words): StepAnswer {
  if (entries.length === 0)
    return { found: ["no line was printed"], means: "Nothing was printed in that time." };
  const last = entries.slice(-SHOWN).map((entry) => lineOf(entry, words));
  const crash = crashIn(entries);
  if (crash === undefined) {
    const errors = entries.filter(({ level }) => level === "error").length;
    const means =
      errors === 0
        ? "no crash and no error are in these lines"
        : `no crash is in these lines, but ${counted(errors, "error")}`;
    return { found: last, means: sentence(means) };
  }
  const { end, before } = crash;
  const found = [...(before === undefined ? [] : [`before the crash: ${lineOf(before, words)}`]), ...last];
  const said =
    before === undefined ? "it printed nothing before" : `the line before was: ${cut(before.text)}`;
  return { found, means: sentence(`${end.text}; ${said}`) };
}

/** The last end that nobody had asked for, the gateway's before others', and what that process had printed last. */
function crashIn(entries: readonly LogEntry[]): { end: LogEntry; before: LogEntry | undefined } | undefined {
  const isCrash = ({ stream, level }: LogEntry) => stream === "end" && level === "error";
  const ofGateway = entries.findLastIndex((entry) => isCrash(entry) && entry.source === "gateway");
  const at = ofGateway === -1 ? entries.findLastIndex(isCrash) : ofGateway;
  const end = entries[at];
  if (end === undefined) return undefined;
  const isOwnWord = ({ source, stream }: LogEntry) => source === end.source && stream !== "end";
  return { end, before: entries.slice(0, at).findLast(isOwnWord) };
}

function lineOf({ time, source, text }: LogEntry, words: Words): string {
  return `${words.time(Date.parse(time))} ${source}: ${cut(text)}`;
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
