import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "../lib/cpu.ts";
import { freePort } from "../lib/port.ts";
import { startBackend } from "../relay/backend-process.ts";
import { runLoad } from "../relay/load-process.ts";
import { runClawkit } from "../relay/proxies/run-clawkit.ts";
import { openConsoles } from "./consoles.ts";
import { edgePid } from "./edge-pid.ts";

/** Small messages: what a message costs is all there is to see. */
const LOAD = { connections: 64, inFlight: 8, payload: 256 };

export interface Cost {
  /** CPU of the edge per message, in µs, by pair. */
  readonly without: readonly number[];
  readonly with: readonly number[];
  /** CPU of the edge in ms per second without any message, with the consoles and without. */
  readonly idle: { readonly without: number; readonly with: number };
}

/** The kernel counts CPU in steps of 10 ms: consoles alone take about one in a second. */
const IDLE_MS = 20_000;

/** CPU of one edge without and with ten consoles open, in pairs. */
export async function measureCost(
  { pairs, seconds }: { readonly pairs: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<Cost> {
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(signal);
  stack.defer(backend.stop);
  const port = await freePort();
  const clawkit = await runClawkit({ port, backendPort: backend.port }, signal);
  stack.defer(clawkit.stop);
  const pid = edgePid(clawkit);

  const perMessage = async () => {
    const before = cpuSeconds([pid]);
    const { messagesInAll } = await runLoad("throughput", { ...LOAD, port, seconds }, signal);
    return ((cpuSeconds([pid]) - before) * 1e6) / messagesInAll;
  };
  const withConsoles = async (measure: () => Promise<number>) => {
    const consoles = await openConsoles(clawkit);
    try {
      return await measure();
    } finally {
      await consoles.close();
    }
  };
  const perSecond = async () => {
    const before = cpuSeconds([pid]);
    await sleep(IDLE_MS, undefined, { signal });
    return ((cpuSeconds([pid]) - before) * 1e6) / IDLE_MS;
  };
  await perMessage(); // compiles what is hot
  const cost: { without: number[]; with: number[] } = { without: [], with: [] };
  for (let pair = 1; pair <= pairs; pair++) {
    // who goes first changes: what slows the machine down for a while would always fall on the second
    const order = pair % 2 === 0 ? (["with", "without"] as const) : (["without", "with"] as const);
    for (const which of order)
      cost[which].push(await (which === "with" ? withConsoles(perMessage) : perMessage()));
    console.error(
      `pair ${pair}/${pairs}: without ${cost.without.at(-1)!.toFixed(2)} µs, with ${cost.with.at(-1)!.toFixed(2)} µs`,
    );
  }
  return { ...cost, idle: { without: await perSecond(), with: await withConsoles(perSecond) } };
}
