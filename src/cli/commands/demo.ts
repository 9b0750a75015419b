import type { CliContext, DemoRow } from "../context.ts";

export async function demo(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const rows = await context.runDemo((text) => context.out.progress(text));
  if (options.json) context.out.json(rows);
  else for (const line of table(rows)) context.out.line(line);
  return 0;
}

function table(rows: readonly DemoRow[]): string[] {
  const header = ["server killed with -9", "clients", "what they saw", "served again after"];
  const cells = [header, ...rows.map((row) => [row.server, String(row.clients), row.saw, row.servedAgain])];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const format = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return [format(header), widths.map((width) => "─".repeat(width)).join("  "), ...cells.slice(1).map(format)];
}
