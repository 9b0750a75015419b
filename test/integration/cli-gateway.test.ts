import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { socketPath } from "../../src/config/paths.ts";
import { TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { asDevice, newDevice, type TestDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { exits, json } from "../helpers/results.ts";

checkFramesOfEachTest();

interface Asked {
  readonly id: string;
  readonly nodeId: string;
  readonly paramsJSON: string;
}

describe("the command line of a running built-in gateway", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run({ gateway: { trustedProxies: ["127.0.0.1"] } });
  });
  after(() => clawkit[Symbol.asyncDispose]());

  test("call: prints the answer, or why there is none", async () => {
    const { stdout } = await exits(0, clawkit.cli("call", "status"));
    assert.equal((JSON.parse(stdout) as { port: number }).port, (await clawkit.status()).port);
    const tail = json<{ lines: string[] }>(
      await exits(0, clawkit.cli("call", "logs.tail", "--params", "{limit: 1}")),
    );
    assert.ok(tail.lines.length <= 1);
    const unknown = await exits(1, clawkit.cli("call", "sessions.fly"));
    assert.match(unknown.stderr, /Cannot call sessions\.fly: INVALID_REQUEST: unknown method: sessions\.fly/);
    // of a config.patch they hold a token, and stderr may be the log of a CI
    const wrong = await exits(2, clawkit.cli("call", "status", "--params", "{token: 's3cret', \u001b"));
    assert.match(wrong.stderr, /--params is JSON5, such as '\{limit: 20\}': .*\(1:19\)/);
    assert.doesNotMatch(wrong.stderr, /s3cret|\u001b/);
    await exits(0, clawkit.cli("call", "status", "--timeout", "9.87654"));
  });

  test("call: says goodbye with a Close frame", async () => {
    await exits(0, clawkit.cli("call", "status"));
    const ended = await until(async () => {
      const rows = json<{ end: { code: number } }[]>(
        await exits(0, clawkit.cli("connections", "--closed", "--json")),
      );
      return rows[0];
    });
    assert.equal(ended.end.code, 1000, JSON.stringify(ended));
  });

  test("nodes: lists the reference client's, and has it do something", async () => {
    await using node = await ReferenceClient.connect(clawkit.url, TOKEN, {
      ...asDevice(),
      role: "node",
      scopes: [],
      clientName: "node-host",
      clientDisplayName: "reef",
      mode: "node",
      caps: ["camera"],
      commands: ["camera.snap"],
    });
    const { stdout } = await exits(0, clawkit.cli("nodes", "list"));
    assert.match(stdout, /^[0-9a-f]{12} {2}reef {2}\S+ {2}connected {2}camera\.snap\n$/);
    const answered = clawkit.cli("nodes", "invoke", "reef", "camera.snap", "--params", "{size: 3}");
    const asked = await node.when(() => node.events.find(({ event }) => event === "node.invoke.request"));
    const { id, nodeId, paramsJSON } = asked.payload as Asked;
    assert.equal(paramsJSON, '{"size":3}');
    await node.request("node.invoke.result", { id, nodeId, ok: true, payload: { bytes: 7 } });
    assert.deepEqual(json(await exits(0, answered)), { bytes: 7 });
    const undeclared = await exits(1, clawkit.cli("nodes", "invoke", "reef", "system.run"));
    assert.match(undeclared.stderr, /the node did not declare system\.run/);
    await exits(2, clawkit.cli("nodes", "invoke", "atoll", "camera.snap"));
  });

  // a node says its name itself: one that called itself as another's id begins was taken for it
  test("nodes: none takes another's place by its name", async () => {
    const [device, impostor] = [newDevice(), newDevice()];
    const start = device.id.slice(0, 12);
    const node = (of: TestDevice, name: string) =>
      ReferenceClient.connect(clawkit.url, TOKEN, {
        ...asDevice(of),
        role: "node",
        scopes: [],
        clientName: "node-host",
        clientDisplayName: name,
        mode: "node",
        commands: ["who"],
      });
    await using known = await node(device, "lagoon");
    await using other = await node(impostor, start);
    const { stderr } = await exits(2, clawkit.cli("nodes", "invoke", start, "who"));
    assert.match(stderr, /there are 2 nodes called/);
    await exits(2, clawkit.cli("nodes", "invoke", "", "who"));
    const answered = clawkit.cli("nodes", "invoke", device.id, "who");
    const asked = await known.when(() => known.events.find(({ event }) => event === "node.invoke.request"));
    const { id, nodeId } = asked.payload as Asked;
    await known.request("node.invoke.result", { id, nodeId, ok: true, payload: "me" });
    assert.equal(json(await exits(0, answered)), "me");
    assert.equal(other.events.filter(({ event }) => event === "node.invoke.request").length, 0);
  });

  test("devices: a request that waits is approved, and a device that is removed is cut off with 4001", async () => {
    const device = newDevice();
    const open = () => new RawGatewayClient(clawkit.url, { headers: { "X-Forwarded-For": "203.0.113.5" } });
    // it chooses its name itself, and whoever approves it sees that in a terminal
    const displayName = "phone\r\u001b[2K\u009b2Kyour own\nconnected";
    const client = { id: "test", version: "1.0.0", platform: "test", mode: "test", displayName } as const;
    const params = { auth: { token: TOKEN }, scopes: ["operator.read"], client };
    using refused = open();
    const { error } = await refused.connectAs(device, params);
    const { requestId } = error!.details as { requestId: string };
    const { stdout } = await exits(0, clawkit.cli("devices", "list"));
    assert.doesNotMatch(stdout, /[^\P{Cc}\n]|^connected/mu);
    assert.match(stdout, new RegExp(`203\\.0\\.113\\.5.* asks to be operator .*approve ${requestId}`));
    await exits(0, clawkit.cli("devices", "approve", requestId));
    using approved = open();
    assert.equal((await approved.connectAs(device, params)).ok, true);
    await exits(0, clawkit.cli("devices", "remove", device.id));
    assert.deepEqual(await approved.ended, { code: 4001, reason: "gateway auth changed" });
    const unknown = await exits(1, clawkit.cli("devices", "reject", requestId));
    assert.match(unknown.stderr, /unknown requestId/);
  });

  test("gateway auth-token: says that there is one, and shows it to no program", async () => {
    const { stdout } = await exits(0, clawkit.cli("gateway", "auth-token"));
    assert.match(stdout, /^A token is set/);
    const { stderr } = await exits(2, clawkit.cli("gateway", "auth-token", "--show"));
    assert.match(stderr, /for a terminal only/);
    assert.ok(!`${stdout}${stderr}`.includes(TOKEN));
  });

  test("gateway auth-token: names the variable that a token comes from", async () => {
    const line = [process.execPath, [CLAWKIT, "gateway", "auth-token"]] as const;
    const variables = { CLAWKIT_GATEWAY_TOKEN: "another-token-0123456" };
    const { stdout } = await exits(0, clawkit.spawnAndWait(...line, variables));
    assert.match(stdout, /^A token is set \(the environment's CLAWKIT_GATEWAY_TOKEN\)/);
  });

  test("a node goes on behind a gateway that was killed, and answers what it was asked before", async () => {
    await using node = await ReferenceClient.connect(clawkit.url, TOKEN, {
      ...asDevice(),
      role: "node",
      scopes: [],
      clientName: "node-host",
      mode: "node",
      commands: ["wait"],
    });
    await using operator = await ReferenceClient.connect(clawkit.url, TOKEN, { scopes: ["operator.write"] });
    const { nodes } = await operator.request<{ nodes: { nodeId: string; commands: string[] }[] }>(
      "node.list",
    );
    const { nodeId } = nodes.find(({ commands }) => commands.includes("wait"))!;
    const answer = operator.request("node.invoke", { nodeId, command: "wait", idempotencyKey: "once" });
    const asked = await node.when(() => node.events.find(({ event }) => event === "node.invoke.request"));
    const { generation, pid } = (await clawkit.status()).gateway;
    process.kill(pid!, "SIGKILL");
    const { id } = asked.payload as Asked;
    await node.request("node.invoke.result", { id, nodeId, ok: true, payload: "done" });
    assert.partialDeepStrictEqual(await answer, { ok: true, payload: "done" });
    assert.notEqual((await clawkit.ready()).gateway.generation, generation);
    assert.deepEqual([...node.closes, ...operator.closes], []);
    assert.equal(node.events.filter(({ event }) => event === "node.invoke.request").length, 1);
  });
});

test("gateway auth-token: of another gateway than the built-in one says that it has its own", async () => {
  await using clawkit = await TestClawkit.create({ gateway: { upstream: { type: "openclaw" } } });
  const { stdout } = await exits(0, clawkit.cli("gateway", "auth-token"));
  assert.match(
    stdout,
    /^No token is used: the gateway has its own authentication: gateway\.upstream is openclaw/,
  );
  assert.partialDeepStrictEqual(json(await exits(0, clawkit.cli("gateway", "auth-token", "--json"))), {
    isSet: false,
  });
});

test("call: without a gateway says that none runs", async () => {
  await using clawkit = await TestClawkit.create();
  const { stderr } = await exits(3, clawkit.cli("call", "health"));
  assert.match(stderr, /Cannot call health as no gateway runs \(stopped\): clawkit gateway start/);
});

// it went to 127.0.0.1 whatever was bound: any user's program that listened there was told the token
test("call and console: go where the gateway is bound, and to nobody else", {
  skip: !networkInterfaces().lo?.some(({ address }) => address === "::1"),
}, async (t) => {
  await using clawkit = await TestClawkit.run({ gateway: { bind: "::1" } });
  const stranger = net.createServer((socket) => socket.end()).listen(clawkit.port, "127.0.0.1");
  t.after(() => stranger.close());
  await once(stranger, "listening");
  let visits = 0;
  stranger.on("connection", () => visits++);
  await exits(0, clawkit.cli("call", "health"));
  assert.equal((await clawkit.status()).url, `ws://[::1]:${clawkit.port}`);
  assert.equal(visits, 0);
  const { url } = json<{ url: string }>(await exits(0, clawkit.cli("console", "--json")));
  assert.ok(url.startsWith(`http://[::1]:${clawkit.port}/__clawkit__/#code=`), url);
});

/** A supervisor that says that its gateway is a server of the test. */
async function claims(t: TestContext, clawkit: TestClawkit, gateway: WebSocketServer): Promise<void> {
  await once(gateway, "listening");
  const url = `ws://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  const reply = { kind: "done", status: { state: "healthy", url } };
  const supervisor = net.createServer((socket) => socket.end(`${JSON.stringify(reply)}\n`));
  const path = socketPath(clawkit.stateDir, "control", process.platform, tmpdir());
  await mkdir(dirname(path), { recursive: true });
  supervisor.listen(path);
  t.after(() => [gateway, supervisor].map((server) => server.close()));
  await once(supervisor, "listening");
}

test("call: what is no frame is an error of the other side, not a bug", async (t) => {
  await using clawkit = await TestClawkit.create();
  const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  gateway.on("connection", (socket) => socket.send("welcome"));
  await claims(t, clawkit, gateway);
  const { stderr } = await exits(1, clawkit.cli("call", "health"));
  assert.match(stderr, /Cannot call health: what answers there speaks another protocol/);
});
