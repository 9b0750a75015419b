import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { checkFramesOfEachTest, type EventFrame } from "../../test/helpers/gateway-frames.ts";
import { EDGE_KEY, NOW, startGateway as start, TOKEN } from "../../test/helpers/gateway-rig.ts";
import { connectParams } from "../../test/helpers/raw-gateway-client.ts";
import { methods } from "./methods/index.ts";

checkFramesOfEachTest();

describe("every client is told", () => {
  it("a tick, every 30 s", async (t) => {
    const { connected } = await start(t, { mock: true });
    using one = await connected();
    using other = await connected();
    t.mock.timers.tick(29_999);
    await one.request("health");
    assert.deepEqual(one.events("tick"), []);
    t.mock.timers.tick(1);
    for (const client of [one, other]) assert.deepEqual((await client.event("tick")).payload, { ts: NOW });
    t.mock.timers.tick(30_000);
    await one.event("tick", 2);
  });

  it("its health, every 60 s", async (t) => {
    const { connected } = await start(t, { mock: true });
    using client = await connected();
    t.mock.timers.tick(59_999);
    await client.request("health");
    assert.deepEqual(client.events("health"), []);
    t.mock.timers.tick(1);
    assert.deepEqual((await client.event("health")).payload, { ok: true, ts: NOW, durationMs: 0 });
  });

  it("all that with numbers from 1 without a gap", async (t) => {
    const { gateway, connected } = await start(t, { mock: true });
    using client = await connected();
    t.mock.timers.tick(120_000);
    gateway.announceShutdown("stopping");
    await client.event("shutdown");
    assert.deepEqual(
      client.events().map(({ event, seq }) => `${seq ?? "-"} ${event}`),
      [
        "- connect.challenge",
        "1 presence",
        "2 tick",
        "3 tick",
        "4 health",
        "5 tick",
        "6 tick",
        "7 health",
        "8 shutdown",
      ],
    );
  });
});

// 60 KB of name, in a list of 200, to everyone and with every change
it("a client's long name is told to others as far as it is a name", async (t) => {
  const { open, connected } = await start(t);
  using watcher = await connected();
  using client = open();
  const displayName = "x".repeat(60_000);
  const own = { id: "test", version: "1.0.0", platform: "test", mode: "test", displayName } as const;
  assert.equal((await client.connect({ auth: { token: TOKEN }, client: own })).ok, true);
  const { payload } = await watcher.request("system-presence");
  assert.equal((payload as { host?: string }[]).at(-1)?.host, "x".repeat(200));
});

describe("a client that says nothing", () => {
  it("is closed with 1000 and no reason after 15 s, not before", async (t) => {
    const { open } = await start(t, { mock: true });
    using client = open();
    await client.challenge();
    t.mock.timers.tick(14_999);
    client.socket.ping();
    await once(client.socket, "pong");
    t.mock.timers.tick(1);
    assert.deepEqual(await client.ended, { code: 1000, reason: "" });
  });

  it("after its hello stays", async (t) => {
    const { connected } = await start(t, { mock: true });
    using client = await connected();
    t.mock.timers.tick(15_000);
    assert.equal((await client.request("health")).ok, true);
  });
});

describe("a client that was refused", () => {
  it("is not heard again", async (t) => {
    const { open, connected } = await start(t);
    using watcher = await connected();
    using client = open();
    await client.challenge();
    const ghost = {
      id: "test",
      version: "1.0.0",
      platform: "test",
      mode: "test",
      displayName: "ghost",
    } as const;
    for (const [id, token] of Object.entries({ first: "not-the-token", second: TOKEN })) {
      const params = connectParams({ client: ghost, auth: { token } });
      client.send({ type: "req", id, method: "connect", params });
    }
    assert.equal((await client.ended).code, 1008);
    using _next = await connected();
    await watcher.when(() => watcher.events("presence").find((event) => presenceOf(event).length === 2));
    const hosts = watcher.events("presence").flatMap((event) => presenceOf(event).map(({ host }) => host));
    assert.ok(!hosts.includes("ghost"), "others were told that it came");
  });
});

describe("anybody but the edge", () => {
  for (const [name, headers] of Object.entries({
    "without the key": {},
    "with a wrong key": { "X-Clawkit-Edge": "guessed" },
  })) {
    it(`${name} is refused with 403`, async (t) => {
      const { open, settings } = await start(t);
      using client = open(headers);
      assert.match((await client.ended).error!, /403/);
      assert.equal(await statusOf(settings.socketPath, "/healthz", headers), 403);
    });
  }

  it("the edge itself is answered", async (t) => {
    const { settings } = await start(t);
    assert.equal(await statusOf(settings.socketPath, "/healthz", { "X-Clawkit-Edge": EDGE_KEY }), 200);
  });
});

describe("its end", () => {
  it("is announced with the time it is expected back", async (t) => {
    const { gateway, connected } = await start(t);
    using client = await connected();
    gateway.announceShutdown("restarting", 1500);
    assert.deepEqual((await client.event("shutdown")).payload, {
      reason: "restarting",
      restartExpectedMs: 1500,
    });
  });

  it("is announced without a time if it is a stop", async (t) => {
    const { gateway, connected } = await start(t);
    using client = await connected();
    gateway.announceShutdown("stopping");
    assert.deepEqual((await client.event("shutdown")).payload, { reason: "stopping" });
  });

  it("is no word to its clients: their edge goes on with them elsewhere", async (t) => {
    const { gateway, open, connected } = await start(t);
    using client = await connected();
    using newcomer = open();
    await newcomer.challenge();
    gateway.close();
    assert.equal((await client.ended).code, 1006);
    assert.equal((await newcomer.ended).code, 1006);
    assert.deepEqual(client.events("shutdown"), []);
  });

  it("leaves nobody listening", async (t) => {
    const { gateway, open } = await start(t);
    gateway.close();
    assert.match((await open().ended).error!, /ENOENT|ECONNREFUSED/);
  });
});

describe("methods", () => {
  it("are published ones, with the scopes that are published", async () => {
    const path = new URL("../protocol.schema.json", import.meta.resolve("@openclaw/gateway-protocol"));
    const published = JSON.parse(await readFile(fileURLToPath(path), "utf8")) as {
      methods: Record<string, { scope: string }>;
    };
    assert.deepEqual(
      [...methods].map(([name, { scope }]) => [name, scope]),
      [...methods.keys()].map((name) => [name, published.methods[name]?.scope]),
    );
  });

  it("that read are open to who may write", async (t) => {
    const { connected } = await start(t);
    using client = await connected(["operator.write"]);
    assert.equal((await client.request("health")).ok, true);
  });

  it("that fail are answered without the reason, which is logged", async (t) => {
    const { connected, logged } = await start(t, {
      rssBytes: () => {
        throw new Error("no /proc here");
      },
    });
    using client = await connected();
    assert.deepEqual((await client.request("status")).error, {
      code: "UNAVAILABLE",
      message: "status failed: see the gateway's log",
    });
    assert.deepEqual(logged, ["method status failed: no /proc here"]);
  });

  it("diagnostics.stability: what happened to this gateway, and nothing of its clients", async (t) => {
    const { connected } = await start(t, {
      rssBytes: () => {
        throw new Error("no /proc here");
      },
    });
    using client = await connected();
    await client.request("status");
    const { payload } = await client.request("diagnostics.stability", { limit: 1 });
    assert.partialDeepStrictEqual(payload, {
      count: 2,
      dropped: 0,
      firstSeq: 1,
      lastSeq: 2,
      events: [{ seq: 2, ts: NOW, type: "method.failed", method: "status" }],
      summary: { byType: { "gateway.start": 1, "method.failed": 1 } },
    });
    const { error } = await client.request("diagnostics.stability", { limit: 0 });
    assert.equal(error?.code, "INVALID_REQUEST");
  });

  it("gateway.restart.request: the answer, then the restart with the reason", async (t) => {
    const { connected, restarts } = await start(t);
    using client = await connected();
    assert.equal((await client.request("gateway.restart.request", { reason: "new config" })).ok, true);
    assert.equal((await client.request("gateway.restart.request")).ok, true);
    await client.request("health");
    assert.deepEqual(restarts, ["new config", "asked for by test"]);
  });

  it("gateway.restart.request: a reason over 200 characters is refused", async (t) => {
    const { connected, restarts } = await start(t);
    using client = await connected();
    const { error } = await client.request("gateway.restart.request", { reason: "x".repeat(201) });
    assert.equal(error?.code, "INVALID_REQUEST");
    await client.request("health");
    assert.deepEqual(restarts, []);
  });

  for (const params of [
    { text: "" },
    { text: "x", host: "" },
    { text: "x", mode: "" },
    { text: "x", reason: "" },
    { text: "x", tags: [""] },
    { text: "x", lastInputSeconds: -1 },
  ]) {
    it(`system-event: refuses ${JSON.stringify(params)}`, async (t) => {
      const { connected } = await start(t);
      using client = await connected();
      assert.equal((await client.request("system-event", params)).error?.code, "INVALID_REQUEST");
    });
  }

  it("system-event: everything it takes is shown", async (t) => {
    const { connected } = await start(t);
    using client = await connected();
    const params = {
      text: "here",
      host: "reef",
      mode: "ui",
      reason: "manual",
      tags: ["a"],
      lastInputSeconds: 3,
    };
    await client.request("system-event", params);
    const event = await client.when(() =>
      client.events("presence").find((seen) => presenceOf(seen)[0]?.text !== undefined),
    );
    assert.partialDeepStrictEqual(presenceOf(event), [{ ...params, ts: NOW }]);
  });

  it("config.get: a file that is not there is an empty config", async (t) => {
    const { connected, settings } = await start(t);
    using client = await connected();
    const path = settings.configPath;
    const nothing = { path, exists: false, valid: true, config: {}, issues: [] };
    assert.deepEqual((await client.request("config.get")).payload, nothing);
  });

  for (const [name, text] of Object.entries({
    "that does not parse": `{ gateway: { auth: { token: "${TOKEN}" "oops" } } }`,
    "with a secret in the wrong place": `{ gateway: { token: "${TOKEN}", auth: { token: ["${TOKEN}"] } } }`,
  })) {
    it(`config.get: a file ${name} has issues, which do not show its secret`, async (t) => {
      const { connected, settings } = await start(t);
      await writeFile(settings.configPath, text);
      using client = await connected();
      const { payload } = await client.request("config.get");
      const { valid, config, issues } = payload as {
        valid: boolean;
        config: object;
        issues: { path: string; message: string }[];
      };
      assert.deepEqual({ valid, config }, { valid: false, config: {} });
      assert.ok(issues.length > 0);
      // the reference command line leaves out what has another shape
      assert.deepEqual(Object.keys(issues[0]!), ["path", "message"]);
      assert.ok(!JSON.stringify(payload).includes(TOKEN), JSON.stringify(issues));
    });
  }
});

describe("logs.tail", () => {
  /** What a client gets of a log with these lines. */
  async function tail(t: TestContext, log: string | undefined, params: object) {
    const { connected, settings } = await start(t);
    if (log !== undefined) await writeFile(settings.logFile, log);
    using client = await connected();
    const { file, ...rest } = (await client.request("logs.tail", params)).payload as Record<string, unknown>;
    assert.equal(file, settings.logFile);
    return rest;
  }

  it("of a log that is not there has no lines", async (t) => {
    assert.deepEqual(await tail(t, undefined, {}), { cursor: 0, size: 0, lines: [] });
  });

  it("is the last 500 lines", async (t) => {
    const all = Array.from({ length: 501 }, (_, i) => `line ${i}`);
    const { lines, truncated } = await tail(t, `${all.join("\n")}\n`, {});
    assert.deepEqual({ lines, truncated }, { lines: all.slice(1), truncated: true });
  });

  it("leaves out the line that the byte limit cuts", async (t) => {
    const { lines, truncated } = await tail(t, "first\nsecond\nthird\n", { maxBytes: 9 });
    assert.deepEqual({ lines, truncated }, { lines: ["third"], truncated: true });
  });

  it("leaves out a character that the byte limit cuts", async (t) => {
    const { lines } = await tail(t, "ünü\nthird\n", { maxBytes: 8 });
    assert.deepEqual(lines, ["third"]);
  });

  it("keeps a line that the byte limit does not cut", async (t) => {
    const { lines } = await tail(t, "first\nsecond\nthird\n", { maxBytes: 13 });
    assert.deepEqual(lines, ["second", "third"]);
  });

  it("after a cursor is what came since", async (t) => {
    assert.deepEqual(await tail(t, "first\nsecond\n", { cursor: 6 }), {
      cursor: 13,
      size: 13,
      lines: ["second"],
      truncated: false,
      reset: false,
    });
  });

  it("after a cursor behind the end is the whole file", async (t) => {
    const { lines, reset } = await tail(t, "first\nsecond\n", { cursor: 14 });
    assert.deepEqual({ lines, reset }, { lines: ["first", "second"], reset: true });
  });
});

describe("a client that does not read", () => {
  it("is closed with 1008 when 50 MiB wait for it, and nobody else", async (t) => {
    const received = Promise.withResolvers<void>();
    const rssBytes = () => {
      received.resolve();
      return 1;
    };
    const { connected, settings } = await start(t, { rssBytes });
    await writeFile(settings.logFile, `${"x".repeat(999_999)}\n`);
    using client = await connected();
    using other = await connected();
    client.socket.pause();
    const tail = (id: number) => ({
      type: "req",
      id: `${id}`,
      method: "logs.tail",
      params: { maxBytes: 1e6 },
    });
    for (let id = 0; id < 60; id++) client.send(tail(id));
    client.send({ type: "req", id: "last", method: "status" });
    await received.promise;
    // sixty files are being read: this one is the last
    assert.equal((await other.request("logs.tail")).ok, true);
    client.socket.resume();
    assert.deepEqual(await client.ended, { code: 1008, reason: "slow consumer" });
    assert.equal((await other.request("health")).ok, true);
  });
});

function presenceOf(event: EventFrame): readonly { readonly host?: string; readonly text?: string }[] {
  return (event.payload as { presence: [] }).presence;
}

function statusOf(socketPath: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
      .once("error", reject);
  });
}
