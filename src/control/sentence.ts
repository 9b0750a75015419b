import type { OverallState, Status } from "../core/control.ts";
import type { IncidentSummary } from "./contract.ts";

/** Outages below this are over before a person looks up. */
const SHORT_MS = 10_000;

export const WEEK_MS = 7 * 24 * 3_600_000;

/** How it is, as one would say it: `Healthy for 3 days. 2 short outages this week, longest 1.2 s, …`. */
export function stateSentence(
  status: Status,
  week: readonly IncidentSummary[],
  words: { readonly now: number; readonly duration: (ms: number) => string },
): string {
  const outages = week.filter(({ kind }) => kind === "outage");
  return `${stateOf(status, outages, words)}. ${pastOf(outages, words)}.`;
}

const STATES: Record<Exclude<OverallState, "healthy">, string> = {
  starting: "The gateway is starting",
  unhealthy: "The gateway is not well",
  stopping: "The gateway is being stopped",
  stopped: "Nothing is running",
  foreign: "The port is held by somebody else",
};

function stateOf(
  { state, reason, supervisor, portOwner }: Status,
  outages: readonly IncidentSummary[],
  { now, duration }: { now: number; duration: (ms: number) => string },
): string {
  if (state === "healthy") {
    const lastEnd = Math.max(0, ...outages.map(({ closedAt }) => closedAt ?? 0));
    return `Healthy for ${duration(Math.min(supervisor.upMs ?? now, now - lastEnd))}`;
  }
  const owner = state === "foreign" && portOwner?.command != null ? ` (${portOwner.command})` : "";
  return `${STATES[state]}${owner}${reason === undefined ? "" : `: ${reason}`}`;
}

function pastOf(
  outages: readonly IncidentSummary[],
  { now, duration }: { now: number; duration: (ms: number) => string },
): string {
  if (outages.length === 0) return "No outage this week";
  const lengths = outages.map(({ openedAt, closedAt }) => (closedAt ?? now) - openedAt);
  const longest = Math.max(...lengths);
  const short = longest < SHORT_MS ? "short " : "";
  const count = outages.length === 1 ? `1 ${short}outage` : `${outages.length} ${short}outages`;
  const clients = outages.reduce((sum, { connections }) => sum + connections, 0);
  const lost =
    clients === 0
      ? "nobody was disconnected"
      : `${clients} ${clients === 1 ? "client was" : "clients were"} disconnected`;
  return `${count} this week, ${outages.length === 1 ? "" : "longest "}${duration(longest)}, ${lost}`;
}
