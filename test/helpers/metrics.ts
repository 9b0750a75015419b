import { ask } from "./http.ts";

/** Where the edge's metrics always are, whatever the gateway has at `/metrics`. */
export const OWN_PATH = "/__clawkit__/metrics";

/** The edge's metrics as they are now. */
export async function edgeMetrics(port: number): Promise<string> {
  return (await ask(port, OWN_PATH)).body.toString();
}

/** The values of all series of a name, added up; undefined if there is none. */
export function valueIn(text: string, name: string): number | undefined {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) return undefined;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
