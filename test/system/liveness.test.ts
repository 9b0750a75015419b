import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import { parseRunLog } from "../../src/core/run-record.ts";
import { program, sleep, TestClawkit, until } from "../helpers/clawkit.ts";
import { type ClientEnd, openClients, TestClient, tally } from "../helpers/clients.ts";

/** Trouble is noticed within this time. */
const NOTICE_MS = 15_000;

/** What telling clients, ending and starting a gateway may take on a busy machine. */
const SLACK_MS = 15_000;

const CLIENTS = 50;

function withCommand(...command: string[]) {
  return { gateway: { upstream: { type: "command", command } } };
}

// Every scenario waits most of its time: they run beside each other.
describe("liveness: who is silent, and who only looks so", { concurrency: true }, () => {
  test("a gateway stopped under clients that send: noticed within 15 s, restarted, clients told 1012", async () => {
    await using clawkit = await TestClawkit.run(withCommand(...program("echo")));
    const clients = await openClients(CLIENTS, clawkit.url);
    using _talk = talkEverySecond(clients);
    const before = await clawkit.status();
    const stoppedAt = Date.now();
    process.kill(before.gateway.pid!, "SIGSTOP");

    const noticed = await untilLogged(clawkit, /^(\S+) log ending the gateway: process was stopped/m);
    const noticedAfterMs = Date.parse(noticed[1]!) - stoppedAt;
    assert.ok(noticedAfterMs <= NOTICE_MS, `noticed after ${noticedAfterMs} ms`);
    const ends = await Promise.all(clients.map((client) => client.ended));
    assertAllTold(ends, 1012, /process was stopped/);
    assert.equal(await served(clawkit.url), true);
    assert.equal((await clawkit.ready()).gateway.generation, before.gateway.generation! + 1);
  });

  test("a gateway busy for 20 s: nobody connected is disconnected, new clients are held, nothing is restarted", async () => {
    await using clawkit = await TestClawkit.run(withCommand(...program("echo")));
    const clients = await openClients(CLIENTS, clawkit.url);
    const before = await clawkit.status();
    const [busy, ...others] = clients;
    busy!.socket.send("busy 20000");
    const startedAt = performance.now();
    using _talk = talkEverySecond(others);

    const early = await new TestClient(clawkit.url).ended;
    assert.equal(early.code, 1013, JSON.stringify(early));
    assert.match(early.reason, /try again later/);
    const heldMs = performance.now() - startedAt;
    assert.ok(heldMs > 10_000, `it was held for only ${heldMs} ms`);
    assert.equal(await served(clawkit.url), true, "a client held when the gateway came back was not served");

    await until(() => others.every((client) => client.received >= 15) || undefined);
    assert.equal(await busy!.echo("back"), "back");
    assertAllOpen(clients);
    const after = await clawkit.untilStatus(({ state }) => state === "healthy");
    assert.deepEqual(
      [after.gateway.generation, after.gateway.pid],
      [before.gateway.generation, before.gateway.pid],
    );
    closeAll(clients);
  });

  const hangs = {
    "burning CPU": { name: "echo", request: "busy 120000" },
    idle: { name: "stuck", request: "sleep 120000" },
  };
  for (const [doing, { name, request }] of Object.entries(hangs)) {
    test(`a gateway hung (${doing}) for longer than hangRestartSec: restarted, clients told 1012`, async () => {
      await using clawkit = await TestClawkit.run({
        ...withCommand(...program(name)),
        supervisor: { hangRestartSec: 10, stopGraceSec: 1 },
      });
      const clients = await openClients(CLIENTS, clawkit.url);
      const before = await clawkit.status();
      const hungAt = performance.now();
      clients[0]!.socket.send(request);

      const ends = await Promise.all(clients.map((client) => client.ended));
      const toldAfterMs = performance.now() - hungAt;
      assertAllTold(ends, 1012, new RegExp(`hung \\(${doing}\\), no answer for 1\\d s`));
      assert.ok(toldAfterMs >= 9_000, `restarted after only ${toldAfterMs} ms`);
      assert.ok(toldAfterMs <= 10_000 + SLACK_MS, `restarted after ${toldAfterMs} ms`);
      assert.equal(await served(clawkit.url), true);
      assert.equal((await clawkit.ready()).gateway.generation, before.gateway.generation! + 1);
    });
  }

  for (const mode of ["silent", "503"]) {
    test(`a gateway never ready (${mode}): restarted after startTimeoutSec`, async () => {
      await using clawkit = await TestClawkit.create({
        ...withCommand(...program("never-ready", mode)),
        supervisor: { startTimeoutSec: 5, stopGraceSec: 1 },
      });
      await clawkit.runForeground();
      const end = await until(async () => {
        const records = parseRunLog(await clawkit.runLog());
        return records.find((record) => record.role === "gateway" && record.event === "end");
      }, 5_000 + SLACK_MS);
      assert.equal(end.event, "end");
      assert.equal(end.end.by, "supervisor");
      assert.equal(end.end.why, "not ready 5 s after its start");
      assert.ok(end.uptimeMs >= 4_500, `it had only ${end.uptimeMs} ms`);
      await clawkit.untilStatus(({ gateway }) => gateway.generation === 2);
    });
  }

  // The edge must not take its own silence for its clients' or the gateway's.
  test("an edge stopped for 40 s and continued: nobody is closed, nothing is restarted", async () => {
    await using clawkit = await TestClawkit.run({
      gateway: {
        ...withCommand(...program("echo")).gateway,
        keepalive: { enabled: true, intervalSec: 5, timeoutSec: 3 },
      },
    });
    const clients = await openClients(CLIENTS, clawkit.url);
    const talkative = clients.slice(0, CLIENTS / 2);
    const before = await clawkit.status();
    await untilPinged(clients);
    using _talk = talkEverySecond(talkative);

    process.kill(before.edge.pid!, "SIGSTOP");
    await sleep(40_000);
    process.kill(before.edge.pid!, "SIGCONT");

    const received = talkative.map((client) => client.received);
    await until(() => talkative.every((client, i) => client.received >= received[i]! + 30) || undefined);
    await untilPinged(clients, 2); // two rounds of keepalive later, with time to find somebody unreachable
    assertAllOpen(clients);
    const after = await clawkit.untilStatus(({ state }) => state === "healthy");
    assert.deepEqual([after.edge.pid, after.gateway.pid], [before.edge.pid, before.gateway.pid]);
    closeAll(clients);
  });
});

/** Every client sends a word each second, until disposed. */
function talkEverySecond(clients: readonly TestClient[]): Disposable {
  const timer = setInterval(() => {
    for (const { socket } of clients) if (socket.readyState === socket.OPEN) socket.send("still there?");
  }, 1_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function served(url: string): Promise<boolean> {
  const client = new TestClient(url);
  try {
    await client.opened;
    return (await client.echo("again")) === "again";
  } finally {
    client.socket.terminate();
  }
}

/** Resolves when every client was pinged `times` times from now on. */
async function untilPinged(clients: readonly TestClient[], times = 1): Promise<void> {
  const pings = new Map<TestClient, number>();
  for (const client of clients) {
    client.socket.on("ping", () => pings.set(client, (pings.get(client) ?? 0) + 1));
  }
  await until(
    () => clients.every((client) => (pings.get(client) ?? 0) >= times || isOver(client)) || undefined,
  );
}

function isOver({ socket }: TestClient): boolean {
  return socket.readyState !== socket.OPEN;
}

function assertAllTold(ends: readonly ClientEnd[], code: number, reason: RegExp): void {
  const wrong = ends.filter((end) => end.code !== code || !reason.test(end.reason));
  assert.equal(wrong.length, 0, `saw: ${tally(ends)}`);
}

function assertAllOpen(clients: readonly TestClient[]): void {
  assert.equal(clients.filter(isOver).length, 0, "clients were disconnected");
}

function closeAll(clients: readonly TestClient[]): void {
  for (const { socket } of clients) socket.terminate();
}

function untilLogged(clawkit: TestClawkit, line: RegExp): Promise<RegExpExecArray> {
  const path = `${statePaths(clawkit.stateDir).logsDir}/supervisor.log`;
  return until(async () => line.exec(await readFile(path, "utf8")) ?? undefined, NOTICE_MS + SLACK_MS);
}
