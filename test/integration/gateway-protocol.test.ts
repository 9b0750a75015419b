import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { readMissingScopeError } from "@openclaw/gateway-protocol/gateway-error-details";
import { VERSION } from "../../src/core/version.ts";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";
import { checkFramesOfEachTest, type EventFrame } from "../helpers/gateway-frames.ts";
import { connectParams, RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";

/** What the reference client makes of an error response. */
interface RequestError {
  readonly gatewayCode: string;
  readonly message: string;
  readonly details: unknown;
}

interface PresenceEntry {
  readonly host?: string;
  readonly text?: string;
  readonly mode?: string;
}

interface Tail {
  readonly file: string;
  readonly cursor: number;
  readonly lines: readonly string[];
  readonly reset: boolean;
}

const READ_ONLY = { scopes: ["operator.read"] };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

checkFramesOfEachTest();

describe("the reference client of the built-in gateway, through the edge", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run();
  });
  after(() => clawkit[Symbol.asyncDispose]());

  /** Asks for every scope unless told otherwise: that is the client's own default. */
  const connect = (options: ConstructorParameters<typeof ReferenceClient>[2] = {}) =>
    ReferenceClient.connect(clawkit.url, TOKEN, options);

  test("is told who serves it, what it may do and how large things may get", async () => {
    await using client = await connect({ clientDisplayName: "lobster" });
    const { protocol, server, auth, policy, features, snapshot } = client.hello;
    assert.equal(protocol, 4);
    assert.equal(server.version, VERSION);
    assert.match(server.connId, UUID);
    assert.match(server.bootId!, UUID);
    assert.deepEqual(auth, { role: "operator", scopes: ["operator.admin"] });
    assert.deepEqual(policy, {
      maxPayload: 26_214_400,
      maxBufferedBytes: 52_428_800,
      tickIntervalMs: 30_000,
    });
    assert.ok(features.methods.includes("health") && features.events.includes("tick"));
    assert.ok(hostsOf(snapshot.presence).includes("lobster"));
  });

  test("health: ok, now", async () => {
    await using client = await connect(READ_ONLY);
    const asked = Date.now();
    const health = await client.request<{ ok: boolean; ts: number }>("health");
    assert.equal(health.ok, true);
    assert.ok(Math.abs(health.ts - asked) < 60_000, `ts ${health.ts}, asked at ${asked}`);
  });

  test("status: this gateway's, and who asks", async () => {
    await using client = await connect(READ_ONLY);
    const { gateway, port } = await clawkit.status();
    const { connections, uptimeMs, rssBytes, ...status } = await client.request("status");
    assert.deepEqual(status, {
      version: VERSION,
      pid: gateway.pid,
      bootId: client.hello.server.bootId,
      generation: gateway.generation,
      port,
      you: { connId: client.hello.server.connId, role: "operator", scopes: ["operator.read"] },
    });
    // who left in another test may still be counted
    assert.ok((connections as number) >= 1 && Number.isInteger(uptimeMs) && Number.isInteger(rssBytes));
  });

  test("system-presence: everyone who is connected", async () => {
    await using crab = await connect({ clientDisplayName: "crab", ...READ_ONLY });
    await using _shrimp = await connect({ clientDisplayName: "shrimp", mode: "ui", ...READ_ONLY });
    const presence = await crab.request<PresenceEntry[]>("system-presence");
    assert.partialDeepStrictEqual(presence, [
      { host: "crab", mode: "test" },
      { host: "shrimp", mode: "ui" },
    ]);
  });

  test("system-event: what an operator says is shown to everyone", async () => {
    await using listener = await connect({ clientDisplayName: "listener", ...READ_ONLY });
    await using operator = await connect({ clientDisplayName: "operator" });
    assert.deepEqual(await operator.request("system-event", { text: "back at my desk" }), { ok: true });
    const event = await listener.when(() =>
      listener.events.find((seen) => presenceOf(seen).some(({ text }) => text !== undefined)),
    );
    const said = presenceOf(event).filter(({ text }) => text !== undefined);
    assert.deepEqual(
      said.map(({ host, text }) => `${host}: ${text}`),
      ["operator: back at my desk"],
    );
  });

  test("config.get: the config in the file, without its secret", async () => {
    await using client = await connect(READ_ONLY);
    const snapshot = await client.request<{ config: { gateway: { auth: object; port: number } } }>(
      "config.get",
    );
    const text = await readFile(clawkit.configPath, "utf8");
    assert.ok(text.includes(TOKEN) && !JSON.stringify(snapshot).includes(TOKEN));
    const { config, ...facts } = snapshot;
    assert.deepEqual(facts, {
      path: clawkit.configPath,
      exists: true,
      valid: true,
      hash: createHash("sha256").update(text).digest("hex"),
      issues: [],
    });
    assert.equal(config.gateway.port, clawkit.port);
    assert.deepEqual(config.gateway.auth, { mode: "token", token: "[redacted]" });
  });

  test("logs.tail: the last lines, then what was added since", async () => {
    await using client = await connect(READ_ONLY);
    const tail = (params: object) => client.request<Tail>("logs.tail", params);
    const first = await tail({ limit: 1 });
    assert.equal(first.lines.length, 1);
    await appendFile(first.file, "one\ntwo\nthree\n");
    const { lines, cursor } = await tail({ cursor: first.cursor });
    assert.deepEqual({ lines, cursor }, { lines: ["one", "two", "three"], cursor: first.cursor + 14 });
    assert.deepEqual((await tail({ limit: 2 })).lines, ["two", "three"]);
    assert.deepEqual((await tail({ cursor })).lines, []);
  });

  test("logs.tail: a cursor behind the end is a rotated file, which is read from its start", async () => {
    await using client = await connect(READ_ONLY);
    const { reset, lines } = await client.request<Tail>("logs.tail", { cursor: 1_000_000_000 });
    assert.equal(reset, true);
    assert.match(lines[0]!, /gateway ready/);
  });

  test("gateway.identity.get: the incarnation that said hello", async () => {
    await using client = await connect(READ_ONLY);
    const { gateway } = await clawkit.status();
    const { bootId, generation } = await client.request("gateway.identity.get");
    assert.deepEqual(
      { bootId, generation },
      { bootId: client.hello.server.bootId, generation: gateway.generation },
    );
  });

  test("fifty requests at once: each gets its own answer", async () => {
    await using client = await connect(READ_ONLY);
    const methods = Array.from({ length: 50 }, (_, i) => ["health", "system-presence", "logs.tail"][i % 3]!);
    const answers = await Promise.all(methods.map((method) => client.request(method)));
    const kindOf = (answer: object) =>
      Array.isArray(answer) ? "system-presence" : "lines" in answer ? "logs.tail" : "health";
    assert.deepEqual(answers.map(kindOf), methods);
  });

  test("an unknown method is a protocol error, and nothing else", async () => {
    await using client = await connect();
    const error = await refusalOf(client.request("sessions.list"));
    assert.deepEqual(
      [error.gatewayCode, error.message],
      ["INVALID_REQUEST", "unknown method: sessions.list"],
    );
    assert.equal((await client.request("health")).ok, true);
    assert.deepEqual(client.closes, []);
  });

  test("parameters that the schema refuses are a protocol error", async () => {
    await using client = await connect(READ_ONLY);
    const error = await refusalOf(client.request("logs.tail", { limit: 0 }));
    assert.equal(error.gatewayCode, "INVALID_REQUEST");
    assert.match(error.message, /^invalid logs\.tail params: \/limit/);
  });

  for (const method of ["system-event", "gateway.restart.request"]) {
    test(`${method} is refused to a client that may only read, which is told what is missing`, async () => {
      await using client = await connect(READ_ONLY);
      const { generation } = (await clawkit.status()).gateway;
      const error = await refusalOf(client.request(method, { text: "hello" }));
      assert.equal(error.gatewayCode, "FORBIDDEN");
      assert.deepEqual(readMissingScopeError(error), {
        code: "MISSING_SCOPE",
        missingScope: "operator.admin",
        requiredScopes: ["operator.admin"],
      });
      assert.equal((await clawkit.status()).gateway.generation, generation);
    });
  }

  test("who comes and goes is broadcast, with numbers from 1 without a gap", async () => {
    await using watcher = await connect({ clientDisplayName: "watcher" });
    const latest = () => watcher.events.slice(-1).flatMap(presenceOf);
    const seen = (...hosts: string[]) =>
      watcher.when(() => (hostsOf(latest()).join() === hosts.join() ? true : undefined));
    for (const name of ["first", "second", "third"]) {
      await using guest = await connect({ clientDisplayName: name });
      await seen("watcher", name);
      await guest.stop();
      await seen("watcher");
    }
    assertNoGap(watcher);
  });

  test("the state version goes up with every presence broadcast", async () => {
    await using watcher = await connect();
    await using _one = await connect();
    await using _two = await connect();
    await watcher.when(() => watcher.events.find((event) => presenceOf(event).length === 3));
    const versions = watcher.events.map((event) => event.stateVersion!.presence);
    assert.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    );
  });

  test("twenty clients that come at once each get their own numbers from 1 without a gap", async () => {
    await using watcher = await connect();
    await using stack = new AsyncDisposableStack();
    const crowd = Array.from({ length: 20 }, () =>
      stack.use(new ReferenceClient(clawkit.url, TOKEN, READ_ONLY)),
    );
    await watcher.when(() => watcher.events.find((event) => presenceOf(event).length === 21));
    for (const client of [watcher, ...crowd]) assertNoGap(client);
  });

  test("a hundred clients that come at once are not told a hundred times", async () => {
    using stack = new DisposableStack();
    const crowd = await openClients(100, clawkit.url);
    for (const { socket } of crowd) stack.defer(() => socket.terminate());
    const connect = JSON.stringify({
      type: "req",
      id: "connect",
      method: "connect",
      params: connectParams({ auth: { token: TOKEN } }),
    });
    for (const { socket } of crowd) socket.send(connect);
    using last = new RawGatewayClient(clawkit.url);
    await last.connect({ auth: { token: TOKEN } });
    await last.when(() => last.events("presence").find((event) => presenceOf(event).length === 101));
    const received = crowd.reduce((sum, client) => sum + client.received, 0);
    assert.ok(received < 100 * 10, `${received} frames for 100 clients`);
  });

  test("a wrong token: the client is told why once, and gives up", async () => {
    await using client = new ReferenceClient(clawkit.url, "not-the-token");
    assert.deepEqual(await client.when(() => client.pauses[0]), {
      code: 1008,
      detailCode: "AUTH_TOKEN_MISMATCH",
    });
    assert.deepEqual(
      client.connectErrors.map(({ message }) => message),
      ["unauthorized: gateway token mismatch (provide gateway auth token)"],
    );
    assert.deepEqual(client.hellos, []);
  });
});

describe("the reference client, when the built-in gateway goes away", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run();
  });
  after(() => clawkit[Symbol.asyncDispose]());

  /** It noticed nothing: the same connection, and its numbers go on. */
  async function assertGoesOn(client: ReferenceClient, generation: number): Promise<void> {
    await clawkit.untilStatus(
      ({ gateway }) => gateway.state === "ready" && gateway.generation === generation,
    );
    assert.equal((await client.request("health")).ok, true);
    const before = client.events.length;
    await client.request("system-event", { text: "still here" });
    await client.when(() => client.events.length > before || undefined);
    assert.deepEqual([client.closes, client.gaps, client.hellos.length], [[], [], 1]);
    const numbers = client.events.flatMap(({ seq }) => seq ?? []);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
  }

  test("gateway.restart.request: an answer, and it goes on with the new gateway", async () => {
    await using client = await ReferenceClient.connect(clawkit.url, TOKEN);
    const { generation } = (await clawkit.ready()).gateway;
    const answer = await client.request("gateway.restart.request", { reason: "new config" });
    assert.deepEqual(answer, { ok: true, result: "scheduled", reason: "new config" });
    await assertGoesOn(client, generation! + 1);
  });

  test("kill -9: it goes on with the new gateway", async () => {
    await using client = await ReferenceClient.connect(clawkit.url, TOKEN);
    const { gateway } = await clawkit.ready();
    process.kill(gateway.pid!, "SIGKILL");
    await assertGoesOn(client, gateway.generation! + 1);
  });

  test("kill -9: a request without an answer is answered by the next gateway", async () => {
    await using client = await ReferenceClient.connect(clawkit.url, TOKEN);
    const { gateway } = await clawkit.ready();
    process.kill(gateway.pid!, "SIGSTOP");
    const request = client.request("status");
    process.kill(gateway.pid!, "SIGKILL");
    assert.equal((await request).generation, gateway.generation! + 1);
    assert.deepEqual(client.closes, []);
  });

  test("a restart by the operator: twenty clients go on", async () => {
    const clients = await connectTwenty(clawkit.url);
    assert.equal((await clawkit.cli("gateway", "restart")).code, 0);
    for (const client of clients) assert.equal((await client.request("health")).ok, true);
    assert.deepEqual(
      clients.flatMap((client) => client.events("shutdown")),
      [],
    );
    for (const client of clients) client[Symbol.dispose]();
  });
});

describe("twenty clients and the reference client, when the operator stops the gateway", () => {
  let clients: readonly RawGatewayClient[];
  let reference: ReferenceClient | undefined;
  before(async () => {
    await using clawkit = await TestClawkit.run();
    clients = await connectTwenty(clawkit.url);
    const client = await ReferenceClient.connect(clawkit.url, TOKEN);
    reference = client;
    assert.equal((await clawkit.cli("gateway", "stop")).code, 0);
    await client.when(() => client.closes[0]);
  });
  after(() => reference?.stop());

  test("all are told by an event, without a time to come back", async () => {
    assert.deepEqual(await toldTo(clients), Array(20).fill({ reason: "gateway stopped by its operator" }));
  });

  test("all are closed with 1012 and the reason", async () => {
    const ends = await Promise.all(clients.map((client) => client.ended));
    assert.deepEqual(ends, Array(20).fill({ code: 1012, reason: "gateway stopped by its operator" }));
  });

  test("the reference client sees 1012, never 1006", () => {
    assert.deepEqual(reference?.closes[0], { code: 1012, reason: "gateway stopped by its operator" });
  });
});

async function connectTwenty(url: string): Promise<RawGatewayClient[]> {
  const clients = Array.from({ length: 20 }, () => new RawGatewayClient(url));
  await Promise.all(clients.map((client) => client.connect({ auth: { token: TOKEN } })));
  return clients;
}

/** The payloads of their `shutdown` events, or "not told". */
async function toldTo(clients: readonly RawGatewayClient[]): Promise<unknown[]> {
  await Promise.all(clients.map((client) => client.ended));
  return clients.map((client) => client.events("shutdown")[0]?.payload ?? "not told");
}

async function refusalOf(request: Promise<unknown>): Promise<RequestError> {
  const answer = await request.then(
    () => undefined,
    (error: unknown) => error as RequestError,
  );
  assert.ok(answer !== undefined, "the request was not refused");
  return answer;
}

function presenceOf(event: EventFrame): readonly PresenceEntry[] {
  return (event.payload as { presence?: PresenceEntry[] }).presence ?? [];
}

function hostsOf(presence: readonly PresenceEntry[]): (string | undefined)[] {
  return presence.map(({ host }) => host);
}

function assertNoGap(client: ReferenceClient): void {
  assert.deepEqual(
    client.events.map(({ seq }) => seq),
    client.events.map((_, i) => i + 1),
  );
  assert.deepEqual(client.gaps, []);
}
