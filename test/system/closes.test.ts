import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { ConnectionEnd } from "../../src/core/records.ts";
import { parseRunLog } from "../../src/core/run-record.ts";
import { program, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import { hex, RawClient, upgradeHead } from "../helpers/raw.ts";
import { connectParams, RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { type ClosedConnection, closedAt, connections, incidents } from "../helpers/recorded.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { exits, json } from "../helpers/results.ts";

/** Who does not answer is found out as soon as the config allows. */
const QUICK_KEEPALIVE = { intervalSec: 1, timeoutSec: 1 };

/** More than a connection may send before it said who it is. */
const TOO_BIG_BYTES = 65 * 1024;

function command(name: string, ...args: string[]) {
  return { type: "command", command: program(name, ...args) };
}

// Every connection asks for a path of its own: that is how its row is found.
describe("closes seen from both sides", () => {
  let echo: TestClawkit;
  let builtin: TestClawkit;

  before(async () => {
    [echo, builtin] = await Promise.all([
      TestClawkit.run({ gateway: { upstream: command("echo"), keepalive: QUICK_KEEPALIVE } }),
      TestClawkit.run(),
    ]);
  });
  after(() => Promise.all([echo, builtin].map((clawkit) => clawkit?.[Symbol.asyncDispose]())));

  describe("ended by the client:", () => {
    const goodbyes = [
      { code: 1000, cause: "client-closed" },
      { code: 1001, cause: "client-went-away" },
      { code: 4000, cause: "client-closed-with-error" },
    ] as const;
    for (const { code, cause } of goodbyes) {
      test(`it sent ${code}`, async () => {
        const path = `/client-sent-${code}`;
        const client = await served(echo, path);
        client.socket.close(code, "bye");
        assert.deepEqual(await client.ended, { code, reason: "bye" });
        const row = await recordedAs(echo, path, { by: "client", code, phase: "open", cause });
        assert.equal(row.end.reason, "bye");
      });
    }

    test("it was reset", async () => {
      using client = await RawClient.upgrade(echo.port, { path: "/reset" });
      client.socket.resetAndDestroy();
      await recordedAs(echo, "/reset", { by: "client", code: null, phase: "open", cause: "client-reset" });
    });

    test("it ended by FIN, without a Close frame", async () => {
      using client = await RawClient.upgrade(echo.port, { path: "/fin" });
      client.socket.end();
      assert.equal(await client.over(), "fin");
      await recordedAs(echo, "/fin", { by: "client", code: null, phase: "open", cause: "client-vanished" });
    });

    test("it broke the protocol", async () => {
      using client = await RawClient.upgrade(echo.port, { path: "/unmasked" });
      client.send(hex("8101 61")); // a client's frames are masked (RFC 6455 §5.1)
      assert.equal((await client.close()).code, 1002);
      await recordedAs(echo, "/unmasked", {
        by: "client",
        code: 1002,
        phase: "open",
        cause: "protocol-violation",
      });
    });

    test("it left while it was held", async () => {
      await using clawkit = await neverReady({ maxSec: 60 });
      using client = await RawClient.connect(clawkit.port);
      client.send(upgradeHead({ path: "/impatient" }));
      await clawkit.untilStatus(({ edge }) => edge.held === 1);
      client.socket.end();
      await recordedAs(clawkit, "/impatient", {
        by: "client",
        code: null,
        phase: "handshake",
        cause: "client-gave-up",
      });
    });
  });

  describe("ended by the network:", () => {
    test("the client reads and never answers a ping", async () => {
      using client = await RawClient.upgrade(echo.port, { path: "/no-pong" });
      await client.frame(({ firstByte }) => firstByte === 0x89);
      assert.equal((await client.close()).code, 3008);
      const row = await recordedAs(echo, "/no-pong", {
        by: "network",
        code: 3008,
        phase: "open",
        cause: "client-unreachable",
      });
      assert.equal(row.end.rttMs, null);
    });
  });

  describe("ended by the gateway:", () => {
    const closes = [
      { code: 1012, reason: "service restart", cause: "gateway-announced-restart" },
      { code: 1008, reason: "pairing required", cause: "pairing-or-auth-rejected" },
      { code: 4001, reason: "credentials changed", cause: "gateway-closed" },
      { code: 1000, reason: "idle", cause: "gateway-closed" },
    ] as const;
    for (const { code, reason, cause } of closes) {
      test(`it sent ${code}`, async () => {
        const path = `/gateway-sent-${code}`;
        const client = await served(echo, path);
        client.socket.send(`close ${code} ${reason}`);
        assert.deepEqual(await client.ended, { code, reason });
        const row = await recordedAs(echo, path, { by: "gateway", code, phase: "open", cause });
        assert.equal(row.end.reason, reason);
      });
    }

    test("it dropped this one connection", async () => {
      const client = await served(echo, "/dropped");
      client.socket.send("drop me");
      assert.equal((await client.ended).code, 1011);
      await recordedAs(echo, "/dropped", {
        by: "gateway",
        code: 1011,
        phase: "open",
        cause: "gateway-dropped-connection",
      });
    });

    test("a message was too big for the built-in gateway", async () => {
      using client = new RawGatewayClient(`${builtin.url}/too-big`);
      await client.challenge();
      client.send("x".repeat(TOO_BIG_BYTES));
      assert.equal((await client.ended).code, 1009);
      await recordedAs(builtin, "/too-big", {
        by: "gateway",
        code: 1009,
        phase: "open",
        cause: "payload-too-large",
      });
    });

    test("a wrong token for the built-in gateway", async () => {
      using client = new RawGatewayClient(`${builtin.url}/wrong-token`);
      const response = await client.connect({ auth: { token: `not-${TOKEN}` } });
      assert.equal(response.ok, false);
      assert.equal((await client.ended).code, 1008);
      await recordedAs(builtin, "/wrong-token", {
        by: "gateway",
        code: 1008,
        phase: "open",
        cause: "pairing-or-auth-rejected",
      });
    });
  });

  describe("ended by the edge:", () => {
    test("the gateway is restarted as planned", async () => {
      const client = await served(echo, "/planned-restart");
      await exits(0, echo.cli("gateway", "restart"));
      assert.equal((await client.ended).code, 1012);
      await recordedAs(echo, "/planned-restart", {
        by: "edge",
        code: 1012,
        phase: "open",
        cause: "planned-restart",
      });
      assert.deepEqual(await outages(echo), []);
    });

    test("the hold ran out", async () => {
      await using clawkit = await neverReady({ maxSec: 1 });
      const client = new TestClient(`${clawkit.url}/hold`);
      assert.equal((await client.ended).code, 1013);
      const row = await recordedAs(clawkit, "/hold", {
        by: "edge",
        code: 1013,
        phase: "handshake",
        cause: "hold-ran-out",
      });
      assert.equal(row.generation, null);
    });

    test("there were too many connections", async () => {
      await using clawkit = await TestClawkit.run({
        gateway: { upstream: command("echo"), limits: { maxConnections: 1 } },
      });
      const first = await served(clawkit, "/first");
      const second = new TestClient(`${clawkit.url}/second`);
      assert.equal((await second.ended).code, 1013);
      await recordedAs(clawkit, "/second", {
        by: "edge",
        code: 1013,
        phase: "handshake",
        cause: "refused-by-edge",
      });
      first.socket.terminate();
    });

    test("its Origin was refused", async () => {
      const client = new TestClient(`${echo.url}/origin`, { origin: "https://elsewhere.test" });
      assert.equal((await client.ended).code, 1008);
      const row = await recordedAs(echo, "/origin", {
        by: "edge",
        code: 1008,
        phase: "handshake",
        cause: "refused-by-edge",
      });
      assert.equal(row.origin, "https://elsewhere.test");
    });
  });

  describe("what a row has besides its end:", () => {
    test("who a reference client says that it is", async () => {
      const client = await ReferenceClient.connect(`${builtin.url}/reference`, TOKEN, {
        clientVersion: "7.8.9",
        role: "operator",
      });
      await client.stop();
      const [row] = await closedAt(builtin, "/reference");
      const { clientId, clientVersion, role, end } = row!;
      assert.deepEqual(
        { clientId, clientVersion, role },
        { clientId: "test", clientVersion: "7.8.9", role: "operator" },
      );
      assert.equal(end.by, "client");
    });

    test("who a client that was turned away said that it is", async () => {
      using client = new RawGatewayClient(`${builtin.url}/turned-away`);
      await client.connect({ ...connectParams(), role: "node", auth: { token: "wrong" } });
      await client.ended;
      const [row] = await closedAt(builtin, "/turned-away");
      const { clientId, clientVersion, role } = row!;
      assert.deepEqual(
        { clientId, clientVersion, role },
        { clientId: "test", clientVersion: "1.0.0", role: "node" },
      );
    });

    test("its bytes and frames both ways, and when they flowed", async () => {
      const MESSAGES = 20;
      const BYTES = 1_000;
      const EXTRA_BYTES = 500_000;
      /** Heads of HTTP and of frames, Close frames, a ping or two. */
      const OVERHEAD_BYTES = 2_000;
      const startedAt = Date.now();
      const client = await served(echo, "/counted");
      for (let i = 0; i < MESSAGES; i++) await client.echo("x".repeat(BYTES));
      await client.echo(`send ${EXTRA_BYTES}`);
      client.socket.close(1000);
      await client.ended;

      const [row] = await closedAt(echo, "/counted");
      const { end } = row!;
      assertWithin(end.bytesIn, MESSAGES * BYTES, OVERHEAD_BYTES, "bytes in");
      assertWithin(end.bytesOut, MESSAGES * BYTES + EXTRA_BYTES, OVERHEAD_BYTES, "bytes out");
      assertWithin(end.framesIn, MESSAGES + 1, 5, "frames in");
      assertWithin(end.framesOut, MESSAGES + 1, 5, "frames out");
      const times = [startedAt, row!.openedAt, end.lastActivityAt, end.at, Date.now()];
      assert.deepEqual(
        times.toSorted((a, b) => a - b),
        times,
      );
      assert.equal(row!.address, "127.0.0.1");
      assert.equal(row!.generation, (await echo.status()).gateway.generation);
    });

    test("nothing of its end while it is open", async () => {
      const client = await served(echo, "/open");
      // it closes another one, whose row is written behind that of the first
      (await served(echo, "/open-other")).socket.close(1000);
      await closedAt(echo, "/open-other");
      const live = json<{ path: string; end: unknown }[]>(
        await exits(0, echo.cli("connections", "--live", "--json")),
      );
      assert.deepEqual(
        live.filter(({ path }) => path.startsWith("/open")).map(({ path, end }) => ({ path, end })),
        [{ path: "/open", end: null }],
      );
      client.socket.terminate();
    });
  });
});

const skip = process.env.CI ? false : whyNoNamespaces();

describe("clients on another host whose packets are dropped", { skip }, () => {
  test("one vanishes: unreachable, by the network, and no incident", async () => {
    using host = new TestHost();
    await using clawkit = await openToHosts();
    await servedOn(host, `${lanUrl(host, clawkit)}/vanished`);
    const { gateway } = await clawkit.status();

    host.dropPackets();

    const row = await recordedAs(clawkit, "/vanished", {
      by: "network",
      code: 3008,
      phase: "open",
      cause: "client-unreachable",
    });
    assert.equal(row.address, host.inside);
    assert.equal(row.incident, null);
    assert.deepEqual(await incidents(clawkit), []);
    await assertNothingCrashed(clawkit, gateway);
  });

  test("five vanish at once: one burst, no outage, no crash", async () => {
    const COUNT = 5;
    using host = new TestHost();
    await using clawkit = await openToHosts();
    const urls = Array.from({ length: COUNT }, () => `${lanUrl(host, clawkit)}/burst`);
    await Promise.all(urls.map((url) => servedOn(host, url)));
    const { gateway } = await clawkit.status();

    host.dropPackets();

    const rows = await closedAt(clawkit, "/burst", COUNT);
    const [incident, ...others] = await incidents(clawkit);
    assert.deepEqual(others, []);
    const { kind, role, cause, connections: affected } = incident!;
    assert.deepEqual(
      { kind, role, cause, affected },
      { kind: "burst", role: "clients", cause: "client-unreachable", affected: COUNT },
    );
    assert.deepEqual(
      rows.map((row) => row.incident),
      rows.map(() => incident!.id),
    );
    await assertNothingCrashed(clawkit, gateway);
  });
});

/** Connects, and had an echo: the row is open in every sense. */
async function served(clawkit: TestClawkit, path: string): Promise<TestClient> {
  const client = new TestClient(clawkit.url + path);
  await client.opened;
  await client.echo("here I am");
  return client;
}

/** A gateway that lives and is never ready: clients are held. */
async function neverReady(hold: { maxSec: number }): Promise<TestClawkit> {
  const clawkit = await TestClawkit.create({ gateway: { upstream: command("never-ready", "silent"), hold } });
  await clawkit.runForeground();
  await until(async () => {
    const records = parseRunLog(await clawkit.runLog());
    return records.some(({ role, event }) => role === "edge" && event === "ready") || undefined;
  });
  return clawkit;
}

function openToHosts(): Promise<TestClawkit> {
  const upstream = { ...command("echo"), trustsEdge: true };
  return TestClawkit.run({ gateway: { bind: "lan", upstream, keepalive: QUICK_KEEPALIVE } });
}

function lanUrl(host: TestHost, clawkit: TestClawkit): string {
  return `ws://${host.outside}:${clawkit.port}`;
}

/** Starts a client there; resolves once it had an echo. It answers pings, as long as they reach it. */
async function servedOn(host: TestHost, url: string): Promise<void> {
  const [node, ...args] = program("client", url);
  const [line] = await once(host.spawn(node!, ...args).stdout!, "data");
  assert.equal(String(line), "served\n");
}

/** There is one row for the path, and that is how it ended. */
async function recordedAs(
  clawkit: TestClawkit,
  path: string,
  expected: Pick<ConnectionEnd, "by" | "code" | "phase" | "cause">,
): Promise<ClosedConnection> {
  const [row, ...others] = await closedAt(clawkit, path);
  assert.deepEqual(others, []);
  const { by, code, phase, cause } = row!.end;
  assert.deepEqual({ by, code, phase, cause }, expected, JSON.stringify(row));
  assert.equal((await connections(clawkit)).filter((other) => other.path === path).length, 1);
  return row!;
}

async function outages(clawkit: TestClawkit) {
  return (await incidents(clawkit)).filter(({ kind }) => kind === "outage");
}

async function assertNothingCrashed(clawkit: TestClawkit, before: { pid: number | null }): Promise<void> {
  assert.deepEqual(json(await exits(0, clawkit.cli("crash", "list", "--json"))), []);
  assert.equal((await clawkit.status()).gateway.pid, before.pid);
}

function assertWithin(value: number, least: number, slack: number, what: string): void {
  assert.ok(value >= least && value <= least + slack, `${what}: ${value}, not ${least} to ${least + slack}`);
}
