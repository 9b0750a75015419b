import { ClawkitError } from "../../core/errors.ts";
import type { ConnectionFilter, ConnectionRow } from "../../recorder/store.ts";
import type { CliContext } from "../context.ts";
import { limitOf, sinceOf } from "../listing-options.ts";
import { tableLines } from "../output/table.ts";
import { withRecords, words } from "../recorded.ts";

const LIMIT = 50;

/** `clawkit connections`: newest first. */
export async function connections(
  context: CliContext,
  options: { live?: boolean; closed?: boolean; since?: string; limit?: string; json?: boolean },
): Promise<number> {
  if (options.live === true && options.closed === true) {
    throw new ClawkitError("USAGE", "--live and --closed exclude each other: without both, all are shown");
  }
  const state = options.live === true ? "live" : options.closed === true ? "closed" : undefined;
  const since = sinceOf(options.since, context);
  const filter: ConnectionFilter = {
    ...(state === undefined ? {} : { state }),
    ...(since === undefined ? {} : { since }),
  };
  const limit = limitOf(options.limit, LIMIT);
  const rows = await withRecords(context, (store) => store.connections(filter, limit));
  const { out } = context;
  if (options.json) {
    out.json(rows);
    return 0;
  }
  if (rows.length === 0) {
    out.line("No such connection is recorded");
    return 0;
  }
  const header = ["connection", "opened", "lasted", "client", "ended by", "code", "cause"];
  const lines = tableLines([header, ...rows.map((row) => cellsOf(row, context.clock.wall()))]);
  for (const [index, line] of lines.entries()) out.line(index === 0 ? out.style("dim", line) : line);
  if (rows.length === limit) out.line(`The newest ${limit}; more with --limit`);
  out.line(`Explain one with: ${context.name} why ${rows[0]!.id}`);
  return 0;
}

function cellsOf(row: ConnectionRow, now: number): string[] {
  const { end } = row;
  return [
    row.id,
    words.time(row.openedAt),
    words.duration((end?.at ?? now) - row.openedAt),
    [row.clientId, row.address].filter((part) => part !== null).join(" "),
    end?.by ?? "",
    end === null ? "" : String(end.code ?? "none"),
    end?.cause ?? "open",
  ];
}
