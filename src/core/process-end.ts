/** Who or what made a process end, as far as the one who started it knows. */
export type EndedBy =
  /** Nobody of ours asked for it. */
  | "itself"
  /** A person or a command asked the supervisor. */
  | "operator"
  /** The supervisor ended it: hung, stopped, or too slow to start. */
  | "supervisor";

/** How a child process ended. One shape for every child (STYLE.md, habit 5). */
export interface ProcessEnd {
  /** Exit code, or null after a signal. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly by: EndedBy;
  /** Why the supervisor ended it, when it did. */
  readonly why?: string;
  /** The child could not be started at all: the system's words. */
  readonly startError?: string;
}

/** Exit code of a refusal: starting again without a change is pointless (sysexits.h, EX_CONFIG). */
export const EXIT_REFUSED = 78;

const V8_ABORT = 134;

const SENT_SIGNALS: ReadonlySet<string> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);

/**
 * Whether somebody else ended it: a person, the system. One that is short of memory is ended by SIGKILL as well. What we end by a signal was
 * hung or too slow by itself, whoever asked for it.
 */
export function wasKilled({ signal, by }: ProcessEnd): boolean {
  return by === "itself" && signal !== null && SENT_SIGNALS.has(signal);
}

/** As `describeEnd`, with the exit itself where the reason hides it: `asked by its operator, exit code 0`. */
export function describeExit(end: ProcessEnd): string {
  const reason = describeEnd(end);
  if (end.by === "itself" || end.startError !== undefined) return reason;
  return `${reason}, ${end.signal ?? `exit code ${end.code}`}`;
}

/** Says how a process ended, in words that fit a close reason: `killed by SIGKILL`, `exited with code 1`. */
export function describeEnd(end: ProcessEnd): string {
  if (end.startError !== undefined) return `could not be started: ${end.startError}`;
  if (end.why !== undefined) return end.why;
  if (end.by === "operator") return "asked by its operator";
  if (end.signal !== null) return `killed by ${end.signal}`;
  if (end.code === EXIT_REFUSED) return "refused to start, exit code 78";
  if (end.code === V8_ABORT) return "aborted, exit code 134";
  return `exited with code ${end.code}`;
}
