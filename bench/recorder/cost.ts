// What the flight recorder costs the edge: CPU per message with it and without it, in pairs; connections that come
// and go; and a store that cannot be written.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { startChild } from "../lib/child.ts";
import { cpuSeconds } from "../lib/cpu.ts";
import { freePort } from "../lib/port.ts";
import { untilUpgraded } from "../lib/ready.ts";
import { writeSection } from "../lib/section.ts";
import { pairedRatio, summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { startBackend } from "../relay/backend-process.ts";
import { runLoad } from "../relay/load-process.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "11" },
    seconds: { type: "string", default: "2" },
    write: { type: "boolean", default: false },
  },
});
const pairs = Number(values.pairs);
const seconds = Number(values.seconds);
const signal = AbortSignal.timeout(15 * 60_000);

/** Small messages at a rate that no machine of today is busy with: its cost is the edge's, not the queue's. */
const LOAD = { connections: 64, inFlight: 8, payload: 256 };
const ROUND_TRIPS = { payload: 256 };
const CHURN = 10_000;
const CHURN_AT_ONCE = 100;

interface Run {
  readonly cpuPerMessage: number;
  readonly p99: number;
  readonly max: number;
}

/** How the store is: none, writable, locked by somebody who never lets go, on a disk without room. */
type Store = "off" | "on" | "locked" | "full";

async function measure(store: Store, work: (port: number, pid: number) => Promise<Run>): Promise<Run> {
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(signal);
  stack.defer(backend.stop);
  const state = mkdtempSync(join(tmpdir(), "clawkit-bench-"));
  stack.defer(() => rmSync(state, { recursive: true, force: true }));
  if (store === "full") {
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", state]);
    stack.defer(() => void spawnSync("umount", ["-l", state]));
  }
  const port = await freePort();
  const edge = await startChild({
    name: "edge",
    command: process.execPath,
    args: [join(import.meta.dirname, "edge.ts")],
    env: {
      PORT: String(port),
      UPSTREAM: `ws://127.0.0.1:${backend.port}`,
      STATE: store === "off" ? "" : state,
    },
  });
  stack.defer(edge.stop);
  await untilUpgraded(port, edge, signal);
  if (store === "locked") {
    const lock = new DatabaseSync(join(state, "recorder.db"));
    lock.exec("BEGIN EXCLUSIVE");
    stack.defer(() => lock.close());
  }
  return await work(port, edge.pid);
}

async function messages(port: number, pid: number): Promise<Run> {
  const before = cpuSeconds([pid]);
  const result = await runLoad("throughput", { ...LOAD, port, seconds }, signal);
  const cpuPerMessage = ((cpuSeconds([pid]) - before) * 1e6) / result.messagesInAll;
  return { cpuPerMessage, p99: result.latency.p99, max: result.latency.max };
}

/** A client's round trips while other connections come and go, so that there is something to record all the time. */
async function roundTripsBesideChurn(port: number): Promise<Run> {
  let isOver = false;
  const churn = (async () => {
    while (!isOver) await Promise.all(Array.from({ length: 20 }, () => comeAndGo(port)));
  })();
  const result = await runLoad("roundtrip", { ...ROUND_TRIPS, port, seconds }, signal);
  isOver = true;
  await churn;
  return { cpuPerMessage: 0, p99: result.latency.p99, max: result.latency.max };
}

function comeAndGo(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.on("open", () => socket.close(1000));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}

const off: Run[] = [];
const on: Run[] = [];
for (let pair = 1; pair <= pairs; pair++) {
  // who goes first changes: what the first leaves behind would always fall on the second
  for (const store of pair % 2 === 0 ? (["on", "off"] as const) : (["off", "on"] as const)) {
    (store === "on" ? on : off).push(await measure(store, messages));
  }
  console.error(
    `pair ${pair}/${pairs}: off ${off.at(-1)!.cpuPerMessage.toFixed(2)} µs, on ${on.at(-1)!.cpuPerMessage.toFixed(2)} µs`,
  );
}

const churned = await measure("on", async (port, pid) => {
  const before = cpuSeconds([pid]);
  for (let done = 0; done < CHURN; done += CHURN_AT_ONCE) {
    await Promise.all(Array.from({ length: CHURN_AT_ONCE }, () => comeAndGo(port)));
  }
  return { cpuPerMessage: ((cpuSeconds([pid]) - before) * 1e6) / CHURN, p99: 0, max: 0 };
});
const churnedOff = await measure("off", async (port, pid) => {
  const before = cpuSeconds([pid]);
  for (let done = 0; done < CHURN; done += CHURN_AT_ONCE) {
    await Promise.all(Array.from({ length: CHURN_AT_ONCE }, () => comeAndGo(port)));
  }
  return { cpuPerMessage: ((cpuSeconds([pid]) - before) * 1e6) / CHURN, p99: 0, max: 0 };
});

const trips: Record<Store, Run[]> = { off: [], on: [], locked: [], full: [] };
for (let round = 0; round < 3; round++) {
  for (const store of ["off", "on", "locked", "full"] as const)
    trips[store].push(await measure(store, roundTripsBesideChurn));
  console.error(`round trips ${round + 1}/3`);
}

const ratio = pairedRatio(
  on.map((run) => run.cpuPerMessage),
  off.map((run) => run.cpuPerMessage),
);
const cpu = (runs: readonly Run[]) => summarize(runs.map((run) => run.cpuPerMessage))!;
const row = (name: string, runs: readonly Run[]) => {
  const { median, min, max } = cpu(runs);
  return [name, formatNumber(median, 2), `${formatNumber(min, 2)}–${formatNumber(max, 2)}`];
};
const trip = (name: string, store: Store) => {
  const p99 = summarize(trips[store].map((run) => run.p99 * 1000))!;
  const max = summarize(trips[store].map((run) => run.max))!;
  return [name, formatNumber(p99.median), formatNumber(max.median, 1)];
};
const text = [
  "## Flight recorder",
  "",
  `CPU of the edge per 256-byte message, ${pairs} pairs of ${seconds} s in one run, the median of the pairs' ratios: **${formatNumber(ratio!, 3)}** (aim ≤ 1.10).`,
  "",
  markdownTable(
    ["edge", "CPU per message (µs)", "lowest–highest"],
    [row("without a recorder", off), row("with the recorder", on)],
  ),
  "",
  `${formatNumber(CHURN)} connections that come and go: ${formatNumber(churned.cpuPerMessage)} µs of CPU each with the recorder, ${formatNumber(churnedOff.cpuPerMessage)} µs without.`,
  "",
  "One client's round trips while 20 others come and go all the time, medians of 3 rounds:",
  "",
  markdownTable(
    ["store", "p99 (µs)", "slowest (ms)"],
    [
      trip("no recorder", "off"),
      trip("writable", "on"),
      trip("locked by another process that never lets go", "locked"),
      trip("on a disk without room", "full"),
    ],
  ),
  "",
  `Repeat with: \`npm run bench:recorder -- --pairs ${pairs} --seconds ${seconds} --write\``,
].join("\n");
console.log(text);
if (values.write) writeSection(join(import.meta.dirname, "../../docs/benchmarks.md"), "bench:recorder", text);
