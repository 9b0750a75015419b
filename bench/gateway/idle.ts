import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../lib/child.ts";
import { memoryOf } from "../lib/memory.ts";
import { freePort } from "../lib/port.ts";
import { runClawkit } from "../relay/proxies/run-clawkit.ts";
import { TOKEN } from "./keys.ts";

/** How long clients settle before memory is read, in ms: the last list of who is there is told and acknowledged. */
const SETTLE_MS = 8_000;

const WARM_UP = 100;

/** Bytes (PSS) that supervisor, edge and gateway hold for each client that said hello and is silent. */
export async function memoryPerClient(clients: number, signal: AbortSignal): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const config = { gateway: { auth: { mode: "token", token: TOKEN } } };
  const running = await runClawkit({ port }, signal, { config });
  stack.defer(running.stop);
  // what the first clients cost once is not a client's price
  await (await hold(port, WARM_UP, signal)).stop();
  await sleep(SETTLE_MS, undefined, { signal });
  const before = memoryOf(running.pids());
  const held = await hold(port, clients, signal);
  stack.defer(held.stop);
  await sleep(SETTLE_MS, undefined, { signal });
  return (memoryOf(running.pids()).pss - before.pss) / clients;
}

async function hold(port: number, clients: number, signal: AbortSignal) {
  const holder = await startChild({
    name: "idle clients",
    command: process.execPath,
    args: [join(import.meta.dirname, "idle-clients.ts"), String(port), String(clients)],
  });
  await holder.line((line) => line === "held", AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
  return holder;
}
