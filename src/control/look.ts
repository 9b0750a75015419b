import { consoleUrl, type Status } from "../core/control.ts";
import type { IncidentRow, RecorderStore } from "../recorder/store.ts";
import type { IncidentSummary } from "./contract.ts";
import type { ControlDeps } from "./deps.ts";
import { stateSentence, WEEK_MS } from "./sentence.ts";

/** Incidents of a week that are counted. */
const MAX_INCIDENTS = 100;

export function summaryOf(store: RecorderStore, incident: IncidentRow): IncidentSummary {
  return { ...incident, connections: store.countConnections({ incident: incident.id }) };
}

/** How it is now, in a sentence and in data. */
export async function lookNow(deps: ControlDeps): Promise<{
  readonly status: Status;
  readonly sentence: string;
  readonly week: readonly IncidentSummary[];
  readonly edgeConsole: string | null;
}> {
  const now = deps.clock.wall();
  const [status, week] = await Promise.all([
    deps.status(),
    deps.records((store) =>
      store.incidents({ since: now - WEEK_MS }, MAX_INCIDENTS).map((row) => summaryOf(store, row)),
    ),
  ]);
  const sentence = stateSentence(status, week, { now, duration: deps.duration });
  return { status, sentence, week, edgeConsole: edgeConsoleOf(status, deps.mode) };
}

/** Where the edge serves the console, for whoever sees it from elsewhere. */
function edgeConsoleOf({ url, edge }: Status, mode: ControlDeps["mode"]): string | null {
  if (mode === "edge" || url === null || edge.pid === null) return null;
  return consoleUrl(url);
}
