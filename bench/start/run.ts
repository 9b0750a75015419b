// How fast the packed and installed package starts, beside an empty Node: `npm run bench:start`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { describeMachine } from "../lib/machine.ts";
import { memoryOf } from "../lib/memory.ts";
import { freePort } from "../lib/port.ts";
import { processTree } from "../lib/process-tree.ts";
import { writeSection } from "../lib/section.ts";
import { type Summary, summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { temporaryFolder } from "../lib/temporary.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLIENTS = 100;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, write: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);

/** What is aimed for, from the project's issue: milliseconds, and MB for the memory. */
const rows = {
  node: { title: "`node -e 0`", unit: "ms", aim: "" },
  version: { title: "`clawkit --version`", unit: "ms", aim: "100" },
  start: { title: "`clawkit gateway start` to ready", unit: "ms", aim: "500" },
  status: { title: "`clawkit gateway status`", unit: "ms", aim: "300" },
  memory: { title: `memory of all three processes, ${CLIENTS} clients (PSS)`, unit: "MB", aim: "200" },
  rss: { title: "the same, sum of RSS (shared pages counted thrice)", unit: "MB", aim: "" },
} as const;
type Row = keyof typeof rows;

const folder = temporaryFolder("start");
try {
  const clawkit = install(folder.path);
  const measured: Record<Row, number[]> = {
    node: [],
    version: [],
    start: [],
    status: [],
    memory: [],
    rss: [],
  };
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round}/${rounds}`);
    for (const [row, value] of Object.entries(await measureOnce(clawkit))) measured[row as Row].push(value);
  }
  const text = render(measured);
  console.log(text);
  if (values.write)
    writeSection(join(ROOT, "docs/benchmarks.md"), "bench:start", `## Start and memory\n\n${text}`);
} finally {
  folder.remove();
}

/** Packs the project and installs the tarball as a user would; returns the path of the command. */
function install(into: string): string {
  const packed = must("npm", ["pack", "--silent", "--pack-destination", into], ROOT)
    .trim()
    .split("\n")
    .at(-1)!;
  must("npm", ["install", "--silent", "--global", "--prefix", into, join(into, packed)], into);
  return join(into, "bin/clawkit");
}

async function measureOnce(clawkit: string): Promise<Record<Row, number>> {
  const state = temporaryFolder("start-state");
  const port = await freePort();
  const env = { CLAWKIT_STATE_DIR: state.path, CLAWKIT_GATEWAY_PORT: String(port) };
  const timed = (command: string, args: readonly string[]) => {
    const startedAt = performance.now();
    must(command, args, state.path, env);
    return performance.now() - startedAt;
  };
  try {
    const node = timed(process.execPath, ["-e", "0"]);
    const version = timed(clawkit, ["--version"]);
    timed(clawkit, ["config", "validate"]); // the disk cache is warm from here on, for start too
    const start = timed(clawkit, ["gateway", "start"]);
    const status = timed(clawkit, ["gateway", "status"]);
    const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => open(port)));
    const { supervisor } = JSON.parse(must(clawkit, ["gateway", "status", "--json"], state.path, env)) as {
      supervisor: { pid: number };
    };
    const { pss, rss } = memoryOf(processTree(supervisor.pid));
    for (const socket of sockets) socket.terminate();
    return { node, version, start, status, memory: pss / 1e6, rss: rss / 1e6 };
  } finally {
    must(clawkit, ["gateway", "stop"], state.path, env);
    state.remove();
  }
}

function open(port: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.once("message", () => resolve(socket)); // the gateway's challenge
    socket.once("error", reject);
  });
}

/** Runs a program on this Node; returns its output, throws if it fails. */
function must(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): string {
  const path = `${join(process.execPath, "..")}:${process.env.PATH}`;
  const result = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env, PATH: path },
  });
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${command} ${args.join(" ")} failed (${result.status ?? result.signal}): ${result.stderr}`,
  );
}

function render(measured: Record<Row, number[]>): string {
  const table = Object.entries(rows).map(([row, { title, unit, aim }]) => {
    const { median, min, max } = summarize(measured[row as Row]) as Summary;
    const spread = `${formatNumber(min)}–${formatNumber(max)}`;
    return [
      title,
      `${formatNumber(median)} ${unit}`,
      `${spread} ${unit}`,
      aim === "" ? "" : `${aim} ${unit}`,
    ];
  });
  const { cpu, cores, system, node, load } = describeMachine();
  return [
    `Medians of ${rounds} rounds of the packed tarball, installed with \`npm i -g\`; beside an empty Node in the same run.`,
    "",
    markdownTable(["what", "median", "lowest–highest", "aim"], table),
    "",
    `${cores} cores of ${cpu}, ${system}, Node ${node}, load ${load.toFixed(2)} before the run.`,
    "",
    "Repeat with: `npm run bench:start -- --write`",
    "",
  ].join("\n");
}
