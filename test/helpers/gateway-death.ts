import assert from "node:assert/strict";
import { program, TestClawkit } from "./clawkit.ts";
import { type ClientEnd, openClients, TestClient, tally } from "./clients.ts";

/** A way a gateway ends, and what its clients must be told. */
export interface Death {
  readonly name: string;
  readonly kill: (pid: number, client: TestClient) => void;
  readonly told: RegExp;
}

export const DEATHS = {
  sigkill: { name: "kill -9", kill: (pid) => process.kill(pid, "SIGKILL"), told: /killed by SIGKILL/ },
  sigterm: { name: "SIGTERM", kill: (pid) => process.kill(pid, "SIGTERM"), told: /killed by SIGTERM/ },
  sigsegv: { name: "SIGSEGV", kill: (pid) => process.kill(pid, "SIGSEGV"), told: /killed by SIGSEGV/ },
  exit0: { name: "exit 0", kill: (_, client) => client.socket.send("exit 0"), told: /exited with code 0/ },
  exit1: { name: "exit 1", kill: (_, client) => client.socket.send("exit 1"), told: /exited with code 1/ },
  heap: {
    name: "V8 heap out of memory",
    kill: (_, client) => client.socket.send("heap"),
    told: /SIGABRT|exit code 134/,
  },
} as const satisfies Record<string, Death>;

const SIZES = [16, 64 * 1024, 1024 * 1024];

/**
 * Lets a gateway die under clients, half of them sending all the time. Every one must be told 1012 and why, its
 * reconnect must be held, and served once the gateway is back.
 */
export async function dieUnderClients({ kill, told }: Death, count: number): Promise<void> {
  const command = [process.execPath, "--max-old-space-size=64", ...program("echo").slice(1)];
  await using clawkit = await TestClawkit.run({ gateway: { upstream: { type: "command", command } } });
  const clients = await openClients(count, clawkit.url);
  for (const [i, client] of clients.entries()) if (i % 2 === 0) keepSending(client, SIZES[i % SIZES.length]!);
  const reconnects: Promise<Reconnect>[] = [];
  const ends = clients.map(async (client) => {
    const end = await client.ended;
    reconnects.push(reconnect(clawkit.url));
    return end;
  });

  const before = await clawkit.status();
  kill(before.gateway.pid!, clients[1]!);
  const seen = await Promise.all(ends);

  assert.deepEqual(
    seen.filter((end) => end.code !== 1012 || !told.test(end.reason)),
    [],
    `saw: ${tally(seen)}`,
  );
  const served = await Promise.all(reconnects);
  assert.deepEqual(
    served.filter((result) => !result.served),
    [],
    "a reconnect was not served",
  );
  const after = await clawkit.ready();
  assert.equal(after.gateway.generation, before.gateway.generation! + 1);
  for (const { client } of served) client.socket.terminate();
}

interface Reconnect {
  readonly client: TestClient;
  readonly served: boolean;
  readonly end?: ClientEnd;
}

async function reconnect(url: string): Promise<Reconnect> {
  const client = new TestClient(url);
  const answer = client.opened
    .then(() => client.echo("again"))
    .then(
      (text) => text === "again",
      () => false,
    );
  return { client, served: await answer };
}

/** Sends as fast as the other side takes it, and keeps frames in flight both ways. */
function keepSending(client: TestClient, bytes: number): void {
  const payload = Buffer.alloc(bytes, 1);
  const pump = () => {
    if (client.socket.readyState !== client.socket.OPEN) return;
    if (client.socket.bufferedAmount < 2 * bytes + 65536) client.socket.send(payload);
    setTimeout(pump, 5); // 250 clients that never let go would starve the test's own loop
  };
  pump();
}
