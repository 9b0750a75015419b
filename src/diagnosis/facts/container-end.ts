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
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};
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
  const asked = events.filter(({ action }) => action === "stop" || action === "kill");
  const stop = asked.find(({ action }) => action === "stop");
  const isSeen = events.some(({ action }) => action === "die");
  const how = `container ${name} exited with code ${exitCode}${signalOf(exitCode) === undefined ? "" : ` (${signalOf(exitCode)})`} at ${new Date(at).toISOString()}`;
  if (stop !== undefined) {
    return {
      cause: "planned-stop",
      isSure: true,
      byOperator: true,
      at,
      detail: `${how}: it was stopped through Docker (docker stop)`,
    };
  }
  if (container.isOomKilled) return { ...oomOf(container, how), at };
  if (asked.length > 0) {
    const signal = nameOf(asked.at(-1)!.signal);
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

/** An engine tells a signal by its number, or as it was given. */
function nameOf(signal: string | undefined): string {
  return SIGNALS[Number(signal)] ?? (signal || "a signal");
}
