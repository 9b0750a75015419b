import type { CliContext } from "../context.ts";
import { limitOf, sinceOf } from "../listing-options.ts";
import { tableLines } from "../output/table.ts";
import { withRecords, words } from "../recorded.ts";

const LIMIT = 20;

/** `clawkit incidents`: newest first. */
export async function incidents(
  context: CliContext,
  options: { since?: string; limit?: string; json?: boolean },
): Promise<number> {
  const since = sinceOf(options.since, context);
  const limit = limitOf(options.limit, LIMIT);
  const rows = await withRecords(context, (store) =>
    store.incidents({ ...(since === undefined ? {} : { since }) }, limit).map((incident) => ({
      ...incident,
      connections: store.countConnections({ incident: incident.id }),
    })),
  );
  const { out } = context;
  if (options.json) {
    out.json(rows);
    return 0;
  }
  if (rows.length === 0) {
    out.line(since === undefined ? "No incident is recorded" : "No incident is recorded since then");
    return 0;
  }
  const table = rows.map((row) => [
    row.id,
    words.time(row.openedAt),
    row.closedAt === null ? "lasts" : words.duration(row.closedAt - row.openedAt),
    row.role,
    row.cause,
    String(row.connections),
    row.summary,
  ]);
  const lines = tableLines([["incident", "began", "lasted", "who", "cause", "clients", "what"], ...table]);
  for (const [index, line] of lines.entries()) out.line(index === 0 ? out.style("dim", line) : line);
  out.line(`Explain one with: ${context.name} why ${rows[0]!.id}`);
  return 0;
}
