// What the journal costs: requests per second, and CPU per request, of the built-in gateway beside a bare `ws` server that
// answers the same JSON: `npm run bench:gateway`.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startChild } from "../lib/child.ts";
import { cpuSeconds } from "../lib/cpu.ts";
import { interruptSignal } from "../lib/interrupt.ts";
import { describeMachine } from "../lib/machine.ts";
import { writeSection } from "../lib/section.ts";
import { pairedRatio, summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { temporaryFolder } from "../lib/temporary.ts";

import { longestStall } from "./broadcasts.ts";
import { memoryPerClient } from "./idle.ts";

const ROOT = join(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "3" },
    clients: { type: "string", default: "1000" },
    write: { type: "boolean", default: false },
  },
});
const CONNECTIONS = 64;
const IN_FLIGHT = 8;
const signal = interruptSignal();

/** What is aimed for, from the project's issue: a share of the bare server's requests per second. */
const WORK = [
  { method: "health", title: "reads (`health`)", aim: 0.5 },
  { method: "system-event", title: "writes (`system-event`)", aim: 0.25 },
] as const;

interface Run {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

const lines: string[][] = [];
for (const { method, title, aim } of WORK) {
  const runs: Record<"gateway" | "bare", Run[]> = { gateway: [], bare: [] };
  for (let round = 1; round <= Number(values.rounds); round++) {
    console.error(`${method}: round ${round}/${values.rounds}`);
    // which is first changes, as what is first warms the machine
    const order = round % 2 === 0 ? (["bare", "gateway"] as const) : (["gateway", "bare"] as const);
    for (const kind of order) runs[kind].push(await measure(kind, method));
  }
  const of = (kind: "gateway" | "bare", what: keyof Run) => runs[kind].map((run) => run[what]);
  const median = (kind: "gateway" | "bare", what: keyof Run, digits: number) =>
    formatNumber(summarize(of(kind, what))!.median, digits);
  lines.push([
    title,
    median("gateway", "perSecond", 0),
    median("bare", "perSecond", 0),
    pairedRatio(of("gateway", "perSecond"), of("bare", "perSecond"))!.toFixed(2),
    `≥ ${aim}`,
    median("gateway", "cpuMicros", 1),
    median("bare", "cpuMicros", 1),
  ]);
}
const table = markdownTable(
  ["requests", "gateway, 1/s", "bare `ws`, 1/s", "ratio", "aim", "CPU each, µs", "bare, µs"],
  lines,
);
console.error("memory of idle clients");
const perClient = await memoryPerClient(Number(values.clients), signal);
console.error("stalls of broadcasts");
const stallMs = await longestStall(Number(values.clients), signal);
const { cpu, cores, system, node, load } = describeMachine();
const text = [
  `The built-in gateway with its journal beside a bare \`ws\` server that answers the same JSON; no edge before either. ${CONNECTIONS} connections over a local socket, ${IN_FLIGHT} requests of each in flight; medians of ${values.rounds} alternating rounds of ${values.seconds} s.`,
  "",
  table,
  "",
  `Memory per idle client that said hello, supervisor, edge and gateway together: ${formatNumber(perClient / 1_024, 1)} KiB (PSS, ${values.clients} clients). While each change of presence is told to as many, the gateway's event loop stands still for ${formatNumber(stallMs, 0)} ms at most.`,
  "",
  `${cpu}, ${cores} cores, ${system}, Node ${node}, load ${load} before. Again: \`npm run bench:gateway -- --write\`.`,
].join("\n");
console.log(text);
if (values.write) {
  writeSection(join(ROOT, "docs/benchmarks.md"), "bench:gateway", `## The journal's price\n\n${text}`);
}

async function measure(kind: "gateway" | "bare", method: string): Promise<Run> {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder("gateway");
  stack.defer(() => folder.remove());
  const script = (name: string) => join(import.meta.dirname, name);
  const server = await startChild({
    name: kind,
    command: process.execPath,
    args: [script("server.ts"), kind, folder.path],
  });
  stack.defer(server.stop);
  await server.line((line) => line === "listening", signal);
  const numbers = [CONNECTIONS, IN_FLIGHT, Number(values.seconds)].map(String);
  const load = await startChild({
    name: "load",
    command: process.execPath,
    args: [script("load.ts"), folder.path, method, ...numbers],
  });
  stack.defer(load.stop);
  await load.line((line) => line === "running", signal);
  const before = cpuSeconds([server.pid]);
  const result = JSON.parse(await load.line((line) => line.startsWith("{"), signal)) as {
    answered: number;
    perSecond: number;
  };
  const cpuMicros = ((cpuSeconds([server.pid]) - before) * 1e6) / result.answered;
  return { perSecond: result.perSecond, cpuMicros };
}
