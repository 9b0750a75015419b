import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../lib/child.ts";
import { temporaryFolder } from "../lib/temporary.ts";

/** The last newcomer is told of, in ms. */
const SETTLE_MS = 4_000;

const WATCHED_MS = 8_000;

/** How long a gateway's event loop stands still at most while each change of presence is told to so many clients, in milliseconds. */
export async function longestStall(clients: number, signal: AbortSignal): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder("broadcasts");
  stack.defer(() => folder.remove());
  const script = (name: string) => join(import.meta.dirname, name);
  const server = await startChild({
    name: "gateway",
    command: process.execPath,
    args: [script("server.ts"), "gateway", folder.path],
  });
  stack.defer(server.stop);
  await server.line((line) => line === "listening", signal);
  const load = await startChild({
    name: "clients",
    command: process.execPath,
    args: [script("load.ts"), folder.path, "system-event", String(clients), "0", "60"],
  });
  stack.defer(load.stop);
  await load.line((line) => line === "running", AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
  await sleep(SETTLE_MS, undefined, { signal });
  server.process.stdin!.write("from here on\n");
  await sleep(WATCHED_MS, undefined, { signal });
  server.process.stdin!.write("so far\n");
  let asked = 0;
  const line = await server.line((text) => text.startsWith('{"stallMs"') && ++asked === 2, signal);
  return (JSON.parse(line) as { stallMs: number }).stallMs;
}
