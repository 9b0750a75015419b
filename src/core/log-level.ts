import type { LogLine } from "./log-line.ts";

export const LOG_LEVELS = ["error", "warn", "info"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How serious a line is, as far as it says so itself: programs have no common form for that. */
export function levelOf({ stream, text }: LogLine): LogLevel {
  if (stream === "end") return PLANNED.test(text) ? "info" : "error";
  const told = levelOfOwn(text) ?? levelOfJson(text) ?? levelOfWord(text) ?? levelOfText(text);
  // nobody says more than that it went to standard error, where programs also greet
  return told ?? (stream === "err" ? "warn" : "info");
}

/** `wanted` and what is more serious. */
export function isAtLeast(level: LogLevel, wanted: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(wanted);
}

/** What `describeExit` says of an end that somebody asked for. */
const PLANNED = / ended: (asked by its operator|nobody looked at the console any more)/;

/** What supervisor and edge say has no word for its level. */
const OWN: readonly [LogLevel, RegExp][] = [
  ["info", /^(gateway|edge|control) ended: (asked by its operator|nobody looked at the console any more)/],
  ["error", /^(gateway|edge|control) ended: |^why the \w+ ended \(|^cannot (start|listen|bind) /],
  [
    "warn",
    /^(gateway does not answer|ending (the gateway: |a leftover |what a leftover )|alerts are held back|cannot |\(\d+ lines lost\))|^client \S+ is unreachable|^\d+ clients? lost (its|their) gateway/,
  ],
];

function levelOfOwn(text: string): LogLevel | undefined {
  return OWN.find(([, pattern]) => pattern.test(text))?.[0];
}

/** Where loggers keep it: OpenClaw's tslog, pino and bunyan, winston, Python's json logger, Google's. */
function levelOfJson(text: string): LogLevel | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    const value = JSON.parse(text) as Record<string, unknown> & { _meta?: { logLevelName?: unknown } };
    return levelNamed(
      value._meta?.logLevelName ?? value.level ?? value.severity ?? value.levelname ?? value.lvl,
    );
  } catch {
    return undefined;
  }
}

/** pino's numbers: 50 is error, 40 warn. */
function levelNamed(name: unknown): LogLevel | undefined {
  if (typeof name === "number") return name >= 50 ? "error" : name >= 40 ? "warn" : "info";
  if (typeof name !== "string" || name === "") return undefined;
  if (/^(err|fatal|crit|panic|emerg|alert|severe)/i.test(name)) return "error";
  return /^warn/i.test(name) ? "warn" : "info";
}

/** A word for the level stands near the beginning, behind a time and the name of a part. */
const HEAD = 100;

const WORD =
  /(?:^|[\s[(<|])(ERROR|ERR|FATAL|CRITICAL|CRIT|PANIC|EMERG|ALERT|SEVERE|WARN|WARNING|INFO|NOTICE|DEBUG|TRACE)(?=$|[\s\])>|:!])/;

function levelOfWord(text: string): LogLevel | undefined {
  const head = text.slice(0, HEAD);
  const word = /(?:^|\s)level=(\w+)/.exec(head)?.[1] ?? WORD.exec(head)?.[1];
  return word === undefined ? undefined : levelNamed(word);
}

/** Loggers that write words in small letters, and what JavaScript, V8, Go, Python and the C library say when they fail. */
const TEXTS: readonly [LogLevel, RegExp][] = [
  [
    "error",
    /(?<!\b(?:no|last) )\b(error|fatal|panic|critical): |\b[A-Z]\w*(Error|Exception)( \[\w+\])?: |\buncaught exception\b|\bunhandled (promise )?rejection\b|^Traceback \(most recent|^(Segmentation fault|Aborted|Killed)\b|^<--- (Last few GCs|JS stacktrace) --->|\bfailed to start\b/i,
  ],
  // a frame of a stack belongs to the error above it
  ["error", /^ {2,}at .*:\d+:\d+\)?$/],
  [
    "warn",
    /\bwarn(ing)?: |Warning: |^\W{0,3}⚠|\bE(ADDRINUSE|ACCES|MFILE|NFILE|NOSPC|CONNREFUSED|CONNRESET)\b/,
  ],
];

function levelOfText(text: string): LogLevel | undefined {
  return TEXTS.find(([, pattern]) => pattern.test(text.slice(0, 4 * HEAD)))?.[0];
}
