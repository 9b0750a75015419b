import type { ConnectionEnd } from "../../src/core/records.ts";
import type { ConnectionRow, IncidentRow } from "../../src/recorder/store.ts";
import type { IncidentStory } from "../../src/recorder/story.ts";
import { type TestClawkit, until } from "./clawkit.ts";
import { exits, json } from "./results.ts";

export type ClosedConnection = ConnectionRow & { readonly end: ConnectionEnd };

/** What `clawkit incidents` prints of each. */
export type ListedIncident = IncidentRow & { readonly connections: number };

/** All that was recorded of connections, newest first. */
export async function connections(clawkit: TestClawkit): Promise<ConnectionRow[]> {
  return json(await exits(0, clawkit.cli("connections", "--json", "--limit", "1000")));
}

/** The connections that asked for `path`, once `count` of them are recorded as closed. */
export async function closedAt(clawkit: TestClawkit, path: string, count = 1): Promise<ClosedConnection[]> {
  return await until(async () => {
    const rows = (await connections(clawkit)).filter((row) => row.path === path);
    const closed = rows.filter((row): row is ClosedConnection => row.end !== null);
    return closed.length >= count ? closed : undefined;
  });
}

export async function incidents(clawkit: TestClawkit): Promise<ListedIncident[]> {
  return json(await exits(0, clawkit.cli("incidents", "--json", "--limit", "1000")));
}

/** What `clawkit why` says of an incident. */
export async function storyOf(clawkit: TestClawkit, incident: string): Promise<IncidentStory> {
  return json(await exits(0, clawkit.cli("why", incident, "--json")));
}
