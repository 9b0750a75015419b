// How fast the commands that look into the flight recorder answer on a full store: `npm run bench:queries`.
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { statePaths } from "../../src/config/paths.ts";
import { SqliteStore } from "../../src/recorder/sqlite-store.ts";
import { describeMachine } from "../lib/machine.ts";
import { writeSection } from "../lib/section.ts";
import { type Summary, summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { temporaryFolder } from "../lib/temporary.ts";
import { fillStore } from "./history.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLAWKIT = join(ROOT, "src/bin/clawkit.ts");

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    write: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);

/** What is aimed for, from the project's issue, in ms. */
const AIM = "300 ms";
const rows = {
  version: { args: ["--version"], aim: "" },
  why: { args: ["why"], aim: AIM },
  incidents: { args: ["incidents"], aim: AIM },
  connections: { args: ["connections", "--closed"], aim: AIM },
  client: { args: ["why", "panel-7"], aim: "" },
  since: { args: ["connections", "--since", "1h"], aim: "" },
} as const;
type Row = keyof typeof rows;

const folder = temporaryFolder("recorder");
try {
  const paths = statePaths(folder.path);
  mkdirSync(paths.runDir);
  console.error(`filling ${paths.recorder}`);
  const startedAt = performance.now();
  fillStore({ store: paths.recorder, runLog: paths.runLog }, Date.now());
  console.error(`filled in ${formatNumber((performance.now() - startedAt) / 1000)} s`);
  const machine = describeMachine();
  const size = sizeOf(paths.recorder);

  const measured: Record<Row, number[]> = {
    version: [],
    why: [],
    incidents: [],
    connections: [],
    client: [],
    since: [],
  };
  for (let round = 0; round <= rounds; round++) {
    console.error(`round ${round}/${rounds}`);
    for (const [row, { args }] of Object.entries(rows)) {
      const took = timed(args);
      if (round > 0) measured[row as Row].push(took); // the first fills the system's cache of the file
    }
  }
  const text = render(measured, size, machine);
  console.log(text);
  if (values.write)
    writeSection(
      join(ROOT, "docs/benchmarks.md"),
      "bench:queries",
      `## Asking the flight recorder\n\n${text}`,
    );
} finally {
  if (values.keep) console.error(`kept ${folder.path}`);
  else folder.remove();
}

function timed(args: readonly string[]): number {
  const startedAt = performance.now();
  const result = spawnSync(process.execPath, [CLAWKIT, ...args], {
    encoding: "utf8",
    // what is installed is one packed file: the sources are compiled once, in the round that is not counted
    env: {
      ...process.env,
      CLAWKIT_STATE_DIR: folder.path,
      NODE_COMPILE_CACHE: join(folder.path, "compile-cache"),
    },
  });
  const took = performance.now() - startedAt;
  if (result.status === 0) return took;
  throw new Error(
    `clawkit ${args.join(" ")} failed (${result.status ?? result.signal}): ${result.stderr || result.stdout}`,
  );
}

function sizeOf(path: string): string {
  const store = new SqliteStore(path, { readOnly: true });
  const count = (n: number) => formatNumber(n);
  const many = Number.MAX_SAFE_INTEGER;
  const connections = count(store.countConnections({ state: "closed" }));
  const runs = count(store.runs({}, many).length);
  const incidents = count(store.incidents({}, many).length);
  store.close();
  const megabytes = count(statSync(path).size / 2 ** 20);
  return `${connections} closed connections, ${runs} runs and ${incidents} incidents of 30 days (${megabytes} MiB)`;
}

function render(
  measured: Record<Row, number[]>,
  size: string,
  { cores, cpu, system, node, load }: ReturnType<typeof describeMachine>,
): string {
  const table = Object.entries(rows).map(([row, { args, aim }]) => {
    const { median, min, max } = summarize(measured[row as Row]) as Summary;
    const spread = `${formatNumber(min)}–${formatNumber(max)} ms`;
    return [`\`clawkit ${args.join(" ")}\``, `${formatNumber(median)} ms`, spread, aim];
  });
  return [
    `On a store of ${size}, with a run log of 4 MiB and no supervisor alive (the run log is read too). Medians of ${rounds} processes run from source, compiled before and with the file in the system's cache.`,
    "",
    markdownTable(["what", "median", "lowest–highest", "aim"], table),
    "",
    `${cores} cores of ${cpu}, ${system}, Node ${node}, load ${load.toFixed(2)} before the run.`,
    "",
    "Repeat with: `npm run bench:queries -- --write`",
    "",
  ].join("\n");
}
