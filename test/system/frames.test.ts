import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { program, sleep, TestClawkit } from "../helpers/clawkit.ts";
import { openClients, TestClient } from "../helpers/clients.ts";
import { needsProc } from "../helpers/processes.ts";
import { SlowClient } from "../helpers/slow-client.ts";
import { residentBytes } from "../helpers/usage.ts";
import { echo as echoOf } from "../helpers/witness.ts";

const MB = 1024 * 1024;

/** How a slow peer is slow in these tests: until then at 256 KB/s, then not any more. */
const SLOW_MS = 16_000;

let echo: TestClawkit;
let slow: TestClawkit;

before(async () => {
  const run = (name: string) =>
    TestClawkit.run({
      // a keepalive that counts a peer of 256 KB/s as dead would show within 10 s
      gateway: {
        upstream: { type: "command", command: program(name) },
        keepalive: { intervalSec: 5, timeoutSec: 5 },
      },
    });
  [echo, slow] = await Promise.all([run("echo"), run("slow-reader")]);
});
after(() => Promise.all([echo, slow].map((clawkit) => clawkit?.[Symbol.asyncDispose]())));

/** Runs `during` and returns by how many MB the edge grew at most in that time. */
async function growthOf(clawkit: TestClawkit, during: () => Promise<void>): Promise<number> {
  const pid = (await clawkit.status()).edge.pid!;
  const before = await residentBytes(pid);
  let highest = before;
  const look = async () => {
    highest = Math.max(highest, await residentBytes(pid));
  };
  const timer = setInterval(() => void look(), 20);
  await during().finally(() => clearInterval(timer));
  await look();
  return (highest - before) / MB;
}

describe("frames of 25 MiB", () => {
  /** What V8 leaves lying about of 200 MB that passed through; to hold the messages would take 100 or 200. */
  const MAX_GROWTH_MB = 80;

  test("stream both ways, four at once, without being held", { skip: needsProc }, async () => {
    const message = randomBytes(25 * MB);
    const clients = await openClients(4, echo.url);
    const round = async () => {
      await Promise.all(
        clients.map(async ({ socket }) => {
          socket.send(message);
          const [data] = await once(socket, "message");
          assert.ok(message.equals(data as Buffer), "what came back is not what was sent");
        }),
      );
    };
    // the heap grows once to the size it then has
    await round();
    const grown = await growthOf(echo, round);
    for (const { socket } of clients) socket.terminate();
    assert.ok(grown < MAX_GROWTH_MB, `the edge grew by ${grown} MB`);
  });
});

/** Clients that echo all the time while something else happens; asserts that it did not delay them. */
async function assertOthersAreQuick(clawkit: TestClawkit, meanwhile: Promise<void>): Promise<void> {
  const others = await openClients(5, clawkit.url);
  const latencies: number[] = [];
  let isOver = false;
  const loops = others.map(async (client) => {
    while (!isOver) {
      const start = performance.now();
      assert.equal(await echoOf(client.socket, "quick"), "quick");
      latencies.push(performance.now() - start);
      await sleep(20);
    }
  });
  await Promise.all([meanwhile.finally(() => (isOver = true)), ...loops]);
  for (const { socket } of others) socket.terminate();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!;
  // a machine that runs other tests too has its pauses; behind the slow one they would wait for seconds
  assert.ok(at(0.5) < 100, `median ${at(0.5)} ms`);
  assert.ok(at(0.99) < 1_000, `99 % ${at(0.99)} ms`);
}

describe("a slow peer stalls itself only, and is not taken for dead", { concurrency: true }, () => {
  /** Beside what V8 leaves lying about: the edge's share of 100 MB, most of which stay with their sender. */
  const MAX_GROWTH_MB = 48;

  test("a client of 256 KB/s to which 5 MB are on their way", async () => {
    const download = async () => {
      using client = new SlowClient(echo.port);
      client.send(`send ${5 * MB}`);
      await client.until(5 * MB);
      client.send("still there");
      await client.until(5 * MB + "still there".length);
      assert.equal(client.closed, undefined);
    };
    await assertOthersAreQuick(echo, download());
  });

  test("a client of 256 KB/s to which 100 MB are on their way, of which the edge holds little", {
    skip: needsProc,
  }, async () => {
    const grown = await growthOf(echo, async () => {
      using client = new SlowClient(echo.port);
      client.send(`send ${100 * MB}`);
      setTimeout(() => client.hurry(), SLOW_MS);
      await client.until(100 * MB);
      assert.equal(client.closed, undefined);
    });
    assert.ok(grown < MAX_GROWTH_MB, `the edge grew by ${grown} MB`);
  });

  test("a gateway of 256 KB/s to which 100 MB are on their way, of which the edge holds little", {
    skip: needsProc,
  }, async () => {
    const client = new TestClient(`${slow.url}/slow?ms=${SLOW_MS}`);
    await client.opened;
    const upload = async () => {
      const message = Buffer.alloc(64 * 1024);
      for (let i = 0; i < 100 * MB; i += message.length) client.socket.send(message);
      assert.equal(await client.echo("how many?"), String(100 * MB));
    };
    const grown = await growthOf(slow, () => assertOthersAreQuick(slow, upload()));
    assert.equal(client.socket.readyState, client.socket.OPEN);
    client.socket.terminate();
    assert.ok(grown < MAX_GROWTH_MB, `the edge grew by ${grown} MB`);
  });
});
