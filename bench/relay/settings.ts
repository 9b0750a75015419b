import { parseArgs } from "node:util";
import { type MeasureName, measures } from "./measures.ts";
import { proxies } from "./proxies.ts";

export interface Settings {
  readonly rounds: number;
  /** Measured seconds of each load run. */
  readonly seconds: number;
  readonly idleLinks: number;
  /** Messages per second of the fixed half load; `undefined`: from the calibration. */
  readonly rate: number | undefined;
  /** Names of the proxies to run. */
  readonly only: readonly string[];
  readonly measures: readonly MeasureName[];
  readonly json: boolean;
  readonly write: boolean;
  /** How to run the same again. */
  readonly command: string;
}

export const usage = `Usage: npm run bench:relay -- [options]
  --rounds N       rounds; the medians' ground (9)
  --seconds N      measured seconds of each load run (3)
  --only LIST      of ${proxies.map(({ name }) => name).join(",")} (all)
  --measures LIST  of ${Object.keys(measures).join(",")} (all)
  --links N        idle links (3000)
  --rate N         messages/s of the fixed load (half of the slower peer's throughput)
  --json           print every number as JSON instead of the table
  --write          also put the table into docs/benchmarks.md
CLAWKIT_BENCH_COMMAND="PROGRAM ARGS" puts another program in ClawKit's place.`;

/** Reads the command line; `undefined` if it asks for help. */
export function readSettings(args: readonly string[]): Settings | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "9" },
      seconds: { type: "string", default: "3" },
      only: { type: "string" },
      measures: { type: "string" },
      links: { type: "string", default: "3000" },
      rate: { type: "string" },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const proxyNames = proxies.map(({ name }) => name);
  const measureNames = Object.keys(measures) as MeasureName[];
  const replaced = process.env.CLAWKIT_BENCH_COMMAND;
  const override = replaced && `CLAWKIT_BENCH_COMMAND="${replaced}"`;
  const shown = args.filter((arg) => arg !== "--json");
  return {
    rounds: positive("rounds", values.rounds),
    seconds: positive("seconds", values.seconds),
    idleLinks: positive("links", values.links),
    rate: values.rate === undefined ? undefined : positive("rate", values.rate),
    only: chosen("only", values.only, proxyNames),
    measures: chosen("measures", values.measures, measureNames),
    json: values.json,
    write: values.write,
    command: [override, "npm run bench:relay", shown.length > 0 && "--", ...shown].filter(Boolean).join(" "),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`Cannot use --${name} as it must be a number above 0: ${text}`);
  return value;
}

function chosen<Name extends string>(
  option: string,
  list: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  if (list === undefined) return names;
  const wanted = list.split(",");
  const unknown = wanted.find((each) => !names.some((name) => name === each));
  if (unknown !== undefined) throw new Error(`Cannot use --${option} as it takes ${names}: ${unknown}`);
  return names.filter((name) => wanted.includes(name));
}
