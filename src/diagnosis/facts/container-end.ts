import type { CauseId } from "../../core/causes.ts";
import type { Container, ContainerEvent } from "../../host/docker-container.ts";
import type { Fact } from "../types.ts";

/** How the last life of a container ended, from its State and what the engine saw. */
export interface ContainerEnd {
  readonly cause: CauseId;
  readonly isSure: boolean;
  readonly detail: string;
  /** `docker stop` or `docker kill`: then no restart policy brings it back, until the engine itself is restarted. */
  readonly byOperator: boolean;
  readonly at: number;
}

const SIGNAL_BASE = 128;
const SIGNALS: Readonly<Record<number, string>> = {
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};
/** Those with which somebody ends a program; any other may be a message to it. */
const ENDING = ["SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"];

/** A program that was told to end takes its time to do so, the engine a moment to say so. */
const BETWEEN_MS = 10_000;

/** The engine tells an end and what it waited for at once, in either order. */
const MOMENT_MS = 1_000;

const CRASHES = ["SIGILL", "SIGABRT", "SIGBUS", "SIGSEGV"];

/** What a start that never got as far as the program says of the port that it was to publish. */
const PORT_TAKEN = /port is already allocated|address already in use/i;

/**
 * The engine's events tell `docker stop` from a program that ended; without them (they are few, and gone when it is
 * restarted) the exit code is all there is.
 */
export function endOf(container: Container, events: readonly ContainerEvent[]): ContainerEnd | undefined {
  const { state, exitCode, error, name } = container;
  if (state === "running" || state === "paused") return undefined;
  const at = container.finishedAt ?? 0;
  if (error !== "") {
    const cause: CauseId = PORT_TAKEN.test(error) ? "port-conflict" : "start-failed";
    return {
      cause,
      isSure: true,
      byOperator: false,
      at,
      detail: `container ${name} did not start: ${error}`,
    };
  }
  if (state === "created") return undefined; // never started
  const die = events.findLast(({ action }) => action === "die");
  const isSeen = die !== undefined;
  const how = `container ${name} exited with code ${exitCode}${signalOf(exitCode) === undefined ? "" : ` (${signalOf(exitCode)})`} at ${new Date(at).toISOString()}`;
  if (isStopped(events, die)) {
    return {
      cause: "planned-stop",
      isSure: true,
      byOperator: true,
      at,
      detail: `${how}: it was stopped through Docker (docker stop)`,
    };
  }
  if (container.isOomKilled) return { ...oomOf(container, how), at };
  const signal = killOf(events, die);
  if (signal !== undefined) {
    return {
      cause: "killed-by-signal",
      isSure: true,
      byOperator: true,
      at,
      detail: `${how}: it was sent ${signal} through Docker (docker kill)`,
    };
  }
  if (!isSeen && isAlwaysBack(container)) {
    const cause = signalOf(exitCode) === "SIGKILL" ? "killed-by-signal" : "planned-stop";
    const detail = `${how}: through Docker, as its restart policy brings it back from any other end`;
    return { cause, isSure: false, byOperator: true, at, detail };
  }
  return { ...byCode(exitCode, how, isSeen), byOperator: false, at };
}

/** Its facts: they are told like those of the flight recorder. */
export function factsOfEnd({ cause, isSure, detail, at }: ContainerEnd, source: string): Fact[] {
  const time = at > 0 ? { at: new Date(at).toISOString() } : {};
  return [{ id: `ended-${cause}${isSure ? "" : "-likely"}`, detail, source, ...time }];
}

/** `docker stop` is told when it is over, right behind the end that it waited for. */
function isStopped(events: readonly ContainerEvent[], die: ContainerEvent | undefined): boolean {
  const isBehind = (at: number) => die === undefined || (at > die.at - MOMENT_MS && at < die.at + BETWEEN_MS);
  return events.some(({ action, at }) => action === "stop" && isBehind(at));
}

/** The signal of `docker kill` that ended it: sent right before, and told by the exit code. */
function killOf(events: readonly ContainerEvent[], die: ContainerEvent | undefined): string | undefined {
  if (die === undefined) return undefined;
  const kill = events.findLast(({ action, at }) => action === "kill" && at <= die.at);
  if (kill === undefined || die.at - kill.at > BETWEEN_MS) return undefined;
  const name = nameOf(kill.signal);
  // a program that ends in order when it is told to
  const fits = signalOf(die.exitCode ?? 0) === name || (name === "SIGTERM" && die.exitCode === 0);
  return ENDING.includes(name) && fits ? name : undefined;
}

function isAlwaysBack({ state, restartPolicy }: Container): boolean {
  return state === "exited" && ["always", "unless-stopped"].includes(restartPolicy.name);
}

function oomOf({ memoryLimitBytes }: Container, how: string): Omit<ContainerEnd, "at"> {
  const limit =
    memoryLimitBytes === undefined ? "" : `, its limit is ${Math.round(memoryLimitBytes / 2 ** 20)} MiB`;
  return { cause: "oom", isSure: true, byOperator: false, detail: `${how}: OOMKilled${limit}` };
}

function byCode(
  code: number,
  how: string,
  isSeen: boolean,
): Pick<ContainerEnd, "cause" | "isSure" | "detail"> {
  const signal = signalOf(code);
  if (code === 0) return { cause: "clean-exit", isSure: isSeen, detail: how };
  if (code === 78)
    return { cause: "config-refused-at-startup", isSure: true, detail: `${how}: it refused to start` };
  if (code === 126 || code === 127) {
    return {
      cause: "start-failed",
      isSure: false,
      detail: `${how}: its command is not found, or is no program`,
    };
  }
  if (signal !== undefined && CRASHES.includes(signal))
    return { cause: "native-crash", isSure: false, detail: how };
  // without its events a `docker stop` looks the same
  if (signal !== undefined) {
    const cause = isSeen || signal === "SIGKILL" ? "killed-by-signal" : "planned-stop";
    return { cause, isSure: false, detail: how };
  }
  return { cause: "unexplained-exit", isSure: false, detail: how };
}

function signalOf(code: number): string | undefined {
  return SIGNALS[code - SIGNAL_BASE];
}

/** An engine tells a signal by its number, or as it was given: `9`, `KILL`, `SIGKILL`. */
function nameOf(signal = ""): string {
  return SIGNALS[Number(signal)] ?? `SIG${signal.toUpperCase().replace(/^SIG/, "")}`;
}
