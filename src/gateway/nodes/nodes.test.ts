import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, test } from "node:test";
import { newDevice, type TestDevice } from "../../../test/helpers/device.ts";
import { checkFramesOfEachTest, type ResponseFrame } from "../../../test/helpers/gateway-frames.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../../../test/helpers/gateway-rig.ts";
import type { RawGatewayClient } from "../../../test/helpers/raw-gateway-client.ts";

checkFramesOfEachTest();

type Rig = Awaited<ReturnType<typeof startGateway>>;

const AS_NODE = {
  role: "node",
  client: { id: "node-host", version: "1.0.0", platform: "linux", mode: "node", displayName: "reef" },
  caps: ["camera"],
  commands: ["camera.snap", "system.notify"],
  auth: { token: TOKEN },
} as const;

const on = (link: string, position = "0 0 0") => ({
  "X-Clawkit-Edge": EDGE_KEY,
  "X-Clawkit-Link": link,
  "X-Clawkit-Position": position,
});

async function connectNode(
  rig: Rig,
  device: TestDevice,
  link = "node",
  commands: readonly string[] = AS_NODE.commands,
): Promise<RawGatewayClient> {
  const node = rig.open(on(link));
  const params = { ...AS_NODE, caps: [...AS_NODE.caps], commands: [...commands] };
  assert.equal((await node.connectAs(device, params)).ok, true);
  return node;
}

async function connectOperator(rig: Rig, link = "operator"): Promise<RawGatewayClient> {
  const operator = rig.open(on(link));
  const scopes = ["operator.write", "operator.pairing"];
  assert.equal((await operator.connect({ auth: { token: TOKEN }, scopes })).ok, true);
  return operator;
}

/** An operator, and a node that it can ask. */
async function both(rig: Rig) {
  const device = newDevice();
  const node = await connectNode(rig, device);
  const operator = await connectOperator(rig);
  const invoke = (changes: object = {}) => ({
    nodeId: device.id,
    command: "camera.snap",
    params: { size: 3 },
    idempotencyKey: "once",
    ...changes,
  });
  const request = async (n = 1) =>
    (await node.event("node.invoke.request", n)).payload as Record<string, unknown> & { id: string };
  return { device, node, operator, invoke, request };
}

/** The node is gone, and others know it. */
const left = (operator: RawGatewayClient) =>
  operator.when(() => {
    const last = operator.events("presence").at(-1)?.payload as { presence: { mode: string }[] } | undefined;
    return last?.presence.every(({ mode }) => mode !== "node") || undefined;
  });

/** Goes on over the link of `client`, of the gateway before. */
async function goOn(rig: Rig, link: string, client: RawGatewayClient): Promise<RawGatewayClient> {
  const again = rig.open(on(link, `${client.frames.length} 0 0`));
  await once(again.socket, "open");
  return again;
}

const answerOf = (client: RawGatewayClient, id: string) =>
  client.when(() => client.frames.filter((frame) => frame.type === "res").find((frame) => frame.id === id));

describe("nodes", () => {
  it("are listed with what they declare, also while they are away", async (t) => {
    const rig = await startGateway(t);
    const { device, node, operator } = await both(rig);
    await operator.request("node.rename", { nodeId: device.id, displayName: "the reef" });
    const { payload } = await operator.request("node.list");
    const [shown] = (payload as { nodes: object[] }).nodes;
    assert.partialDeepStrictEqual(shown, {
      nodeId: device.id,
      displayName: "the reef",
      commands: ["camera.snap", "system.notify"],
      connected: true,
      paired: true,
    });
    node.socket.close();
    await left(operator);
    const described = await operator.request("node.describe", { nodeId: device.id });
    assert.partialDeepStrictEqual(described.payload, { nodeId: device.id, connected: false, commands: [] });
  });

  it("have their own methods, and no others", async (t) => {
    const rig = await startGateway(t);
    const { node, operator } = await both(rig);
    assert.match((await node.request("health")).error!.message, /missing scope: operator\.read/);
    assert.equal((await operator.request("node.pending.pull")).error?.message, "unauthorized role: operator");
  });

  it("say that they are alive, and are told what nobody here handles", async (t) => {
    const rig = await startGateway(t);
    const { node } = await both(rig);
    const alive = await node.request("node.event", { event: "node.presence.alive" });
    assert.deepEqual(alive.payload, { ok: true, event: "node.presence.alive", handled: true });
    const other = await node.request("node.event", { event: "voice.transcript", payloadJSON: "{}" });
    assert.partialDeepStrictEqual(other.payload, { handled: false, reason: "unsupported" });
  });
});

describe("a request to a node", () => {
  it("reaches it and is answered with what it says", async (t) => {
    const rig = await startGateway(t);
    const { device, node, operator, invoke, request } = await both(rig);
    const answer = operator.request("node.invoke", invoke());
    const { id, ...rest } = await request();
    assert.deepEqual(rest, {
      nodeId: device.id,
      command: "camera.snap",
      paramsJSON: '{"size":3}',
      timeoutMs: 30_000,
      idempotencyKey: "once",
    });
    const result = { id, nodeId: device.id, ok: true, payloadJSON: '{"bytes":7}' };
    assert.deepEqual((await node.request("node.invoke.result", result)).payload, { ok: true });
    assert.deepEqual((await answer).payload, {
      ok: true,
      nodeId: device.id,
      command: "camera.snap",
      payload: { bytes: 7 },
      payloadJSON: '{"bytes":7}',
    });
    const again = await node.request("node.invoke.result", result);
    assert.deepEqual(again.payload, { ok: true, ignored: true });
  });

  it("fails with what the node says went wrong", async (t) => {
    const rig = await startGateway(t);
    const { device, node, operator, invoke, request } = await both(rig);
    const answer = operator.request("node.invoke", invoke());
    const error = { code: "CAMERA_BUSY", message: "in use" };
    await node.request("node.invoke.result", {
      id: (await request()).id,
      nodeId: device.id,
      ok: false,
      error,
    });
    assert.deepEqual((await answer).error, {
      code: "UNAVAILABLE",
      message: "CAMERA_BUSY: in use",
      details: { nodeError: error, nodeCommandDispatched: true },
    });
  });

  it("is answered by no other node", async (t) => {
    const rig = await startGateway(t);
    const { device, operator, invoke, request } = await both(rig);
    const other = newDevice();
    const thief = await connectNode(rig, other, "thief");
    operator.send({ type: "req", id: "ask", method: "node.invoke", params: invoke() });
    const { id } = await request();
    const asIt = await thief.request("node.invoke.result", { id, nodeId: device.id, ok: true });
    assert.equal(asIt.error?.message, "nodeId mismatch");
    const asItself = await thief.request("node.invoke.result", { id, nodeId: other.id, ok: true });
    assert.deepEqual(asItself.payload, { ok: true, ignored: true });
  });

  it("is not sent where it cannot be done", async (t) => {
    const rig = await startGateway(t);
    const { node, operator, invoke } = await both(rig);
    const undeclared = await operator.request("node.invoke", invoke({ command: "system.run" }));
    assert.match(
      undeclared.error!.message,
      /did not declare system\.run; it has: camera\.snap, system\.notify/,
    );
    const unknown = await operator.request("node.invoke", invoke({ nodeId: "nobody" }));
    assert.equal(unknown.error?.message, "unknown nodeId");
    node.socket.close();
    await left(operator);
    const away = await operator.request("node.invoke", invoke());
    assert.partialDeepStrictEqual(away.error, {
      code: "UNAVAILABLE",
      details: { code: "NOT_CONNECTED", nodeCommandDispatched: false },
    });
    assert.deepEqual(node.events("node.invoke.request"), []);
  });

  // the real gateway's word on it: who may write must not approve in a person's place what a program on the node's host does
  it("says nothing in a person's place, and reaches no further than who asks may", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const commands = ["system.run", "fs.listDir", "worker.launch.v1", "system.execApprovals.set"];
    const node = await connectNode(rig, device, "node", commands);
    const operator = await connectOperator(rig);
    const ask = (command: string, params: object = {}) =>
      operator.request("node.invoke", { nodeId: device.id, command, params, idempotencyKey: "once" });
    for (const claim of [{ approved: true }, { approvalDecision: "allow-always" }, { approvalSource: "x" }]) {
      const { error } = await ask("system.run", { command: ["id"], ...claim });
      assert.deepEqual(error?.details, { code: "APPROVALS_UNAVAILABLE" }, JSON.stringify(claim));
    }
    assert.match((await ask("fs.listDir")).error!.message, /missing scope: operator\.admin/);
    for (const command of ["worker.launch.v1", "system.execApprovals.set"])
      assert.match((await ask(command)).error!.message, /does not allow/);
    using admin = await rig.connected();
    const send = (client: RawGatewayClient, command: string, params: object) => {
      const invoke = { nodeId: device.id, command, params, idempotencyKey: command };
      client.send({ type: "req", id: command, method: "node.invoke", params: invoke });
    };
    send(operator, "system.run", { command: ["id"], approved: false, host: "gateway" });
    send(admin, "fs.listDir", {});
    await node.event("node.invoke.request", 2);
    const asked = node.events("node.invoke.request").map(({ payload }) => payload as { paramsJSON: string });
    assert.deepEqual(asked.map(({ paramsJSON }) => paramsJSON).sort(), ['{"command":["id"]}', "{}"]);
  });

  // the journal has a copy of each: a thousand of 25 MB were no more than a thousand
  it("is refused where those that wait are too large together", async (t) => {
    const rig = await startGateway(t);
    const { node, operator, invoke } = await both(rig);
    const params = "x".repeat(8 * 1024 * 1024);
    operator.send({ type: "req", id: "large", method: "node.invoke", params: invoke({ params }) });
    await node.event("node.invoke.request");
    const { error } = await operator.request("node.invoke", invoke({ params: params.slice(-100_000) }));
    assert.match(error!.message, /bytes of ids and parameters: wait for some/);
    operator.send({ type: "req", id: "small", method: "node.invoke", params: invoke() });
    await node.event("node.invoke.request", 2);
  });

  it("is refused where the ids of those that wait are too large together", async (t) => {
    const rig = await startGateway(t);
    const { node, operator, invoke } = await both(rig);
    const id = "x".repeat(8 * 1024 * 1024);
    operator.send({ type: "req", id, method: "node.invoke", params: invoke() });
    await node.event("node.invoke.request");
    operator.send({ type: "req", id: id.slice(-100_000), method: "node.invoke", params: invoke() });
    const refused = await operator.when(() =>
      operator.frames.find((frame) => frame.type === "res" && frame.id.length === 100_000),
    );
    assert.match((refused as ResponseFrame).error!.message, /bytes of ids and parameters: wait for some/);
  });

  // keys of 15 Mi characters were part of no bound: the journal grew by 30 MB with each action
  it("is refused with a key that is too long, and its length is said", async (t) => {
    const rig = await startGateway(t);
    const { node, operator, invoke } = await both(rig);
    const tooLong = invoke({ idempotencyKey: "k".repeat(257), timeoutMs: 100 });
    const { error } = await operator.request("node.invoke", tooLong);
    assert.deepEqual(error, {
      code: "INVALID_REQUEST",
      message:
        "invalid node.invoke params: /idempotencyKey: must not have more than 256 characters, and has 257",
    });
    const params = invoke({ idempotencyKey: "k".repeat(256) });
    operator.send({ type: "req", id: "fits", method: "node.invoke", params });
    const { payload } = await node.event("node.invoke.request");
    assert.equal((payload as { idempotencyKey: string }).idempotencyKey.length, 256);
  });

  it("fails at its deadline, and the node is told", async (t) => {
    const rig = await startGateway(t);
    const { operator, node, invoke } = await both(rig);
    const { error } = await operator.request("node.invoke", invoke({ timeoutMs: 20 }));
    assert.equal(error?.message, "TIMEOUT: node invoke timed out");
    await node.event("node.invoke.cancel");
  });

  it("fails when the node leaves", async (t) => {
    const rig = await startGateway(t);
    const { node, operator, invoke, request } = await both(rig);
    const answer = operator.request("node.invoke", invoke());
    await request();
    node.socket.close();
    assert.equal((await answer).error?.message, "NOT_CONNECTED: node disconnected (camera.snap)");
  });

  it("is cancelled when who asked leaves", async (t) => {
    const rig = await startGateway(t);
    const { device, node, operator, invoke, request } = await both(rig);
    operator.send({ type: "req", id: "ask", method: "node.invoke", params: invoke() });
    const { id } = await request();
    operator.socket.close();
    assert.deepEqual((await node.event("node.invoke.cancel")).payload, { invokeId: id, nodeId: device.id });
    const late = await node.request("node.invoke.result", { id, nodeId: device.id, ok: true });
    assert.deepEqual(late.payload, { ok: true, ignored: true });
  });
});

describe("a request to a node that waits while the gateway is replaced", () => {
  /** It is asked of the first gateway, which ends; both clients go on at the next one. */
  async function asked(rig: Rig, changes: object = {}) {
    const one = await both(rig);
    one.operator.send({ type: "req", id: "ask", method: "node.invoke", params: one.invoke(changes) });
    const { id } = await one.request();
    rig.gateway.close();
    await Promise.all([one.node.ended, one.operator.ended]);
    return { ...one, id };
  }

  const next = (t: Parameters<typeof startGateway>[0], first: Rig, wall?: () => number) =>
    startGateway(t, { folder: first.folder, settings: { generation: 2 }, ...(wall && { wall }) });

  it("is answered once, by what the node says to the next one", async (t) => {
    const first = await startGateway(t);
    const { device, node, operator, id } = await asked(first);
    const rig = await next(t, first);
    using node2 = await goOn(rig, "node", node);
    using operator2 = await goOn(rig, "operator", operator);
    for (let i = 0; i < 2; i++)
      await node2.request("node.invoke.result", { id, nodeId: device.id, ok: true, payload: i });
    assert.partialDeepStrictEqual((await answerOf(operator2, "ask")).payload, { payload: 0 });
    await operator2.request("node.list");
    assert.equal(operator2.frames.filter((frame) => frame.type === "res" && frame.id === "ask").length, 1);
    assert.deepEqual(node2.events("node.invoke.request"), [], "asked twice");
  });

  it("however often that happens: it waits, and is under way nowhere", async (t) => {
    let rig = await startGateway(t);
    const { device, node, operator, id } = await asked(rig);
    for (let generation = 2; generation < 6; generation++) {
      rig = await startGateway(t, { folder: rig.folder, settings: { generation } });
      rig.gateway.close();
    }
    rig = await startGateway(t, { folder: rig.folder, settings: { generation: 6 } });
    using node2 = await goOn(rig, "node", node);
    using operator2 = await goOn(rig, "operator", operator);
    await node2.request("node.invoke.result", { id, nodeId: device.id, ok: true });
    assert.equal((await answerOf(operator2, "ask")).ok, true);
  });

  it("fails when its deadline went by meanwhile", async (t) => {
    const first = await startGateway(t);
    const { operator } = await asked(first, { timeoutMs: 60_000 });
    const rig = await next(t, first, () => first.wall() + 60_001);
    using operator2 = await goOn(rig, "operator", operator);
    assert.equal((await answerOf(operator2, "ask")).error?.message, "TIMEOUT: node invoke timed out");
  });

  it("fails when the node left meanwhile", async (t) => {
    const first = await startGateway(t);
    const { operator } = await asked(first);
    const rig = await next(t, first);
    using operator2 = await goOn(rig, "operator", operator);
    assert.equal(await rig.holdOnly(["operator"]), 200);
    assert.equal(
      (await answerOf(operator2, "ask")).error?.message,
      "NOT_CONNECTED: node disconnected (camera.snap)",
    );
  });
});

describe("work for a node that is away", () => {
  /** A node that was here once. */
  async function away(rig: Rig) {
    const { device, node, operator } = await both(rig);
    node.socket.close();
    await left(operator);
    const enqueue = (params: object) =>
      operator.request("node.pending.enqueue", { nodeId: device.id, ...params });
    return { device, operator, enqueue };
  }

  const typesOf = (payload: unknown) =>
    (payload as { items: { type: string }[] }).items.map(({ type }) => type);

  it("is there when it comes back, also behind a restart, and is told once", async (t) => {
    const first = await startGateway(t);
    const { device, enqueue } = await away(first);
    await enqueue({ type: "status.request" });
    const { payload } = await enqueue({ type: "location.request", priority: "high" });
    assert.partialDeepStrictEqual(payload, { revision: 2, wakeTriggered: false });
    first.gateway.close();
    const rig = await startGateway(t, { folder: first.folder, settings: { generation: 2 } });
    using node = await connectNode(rig, device, "again");
    const drained = await node.request("node.pending.drain");
    assert.deepEqual(typesOf(drained.payload), ["location.request", "status.request"]);
    assert.partialDeepStrictEqual((await node.request("node.pending.drain")).payload, {
      items: [{ id: "baseline-status" }],
      hasMore: false,
    });
  });

  it("is the same if it is asked for again", async (t) => {
    const rig = await startGateway(t);
    const { enqueue } = await away(rig);
    const [one, two] = [await enqueue({ type: "status.request" }), await enqueue({ type: "status.request" })];
    assert.deepEqual(one.payload, two.payload);
  });

  it("expires", async (t) => {
    let now = 1_800_000_000_000;
    const rig = await startGateway(t, { wall: () => now });
    const { device, enqueue } = await away(rig);
    await enqueue({ type: "location.request", expiresInMs: 1_000 });
    now += 1_000;
    using node = await connectNode(rig, device, "again");
    assert.deepEqual(typesOf((await node.request("node.pending.drain")).payload), ["status.request"]);
  });

  it("goes with its device", async (t) => {
    const rig = await startGateway(t);
    const { device, enqueue } = await away(rig);
    await enqueue({ type: "location.request" });
    using admin = await rig.connected();
    assert.equal((await admin.request("device.pair.remove", { deviceId: device.id })).ok, true);
    using node = await connectNode(rig, device, "again");
    assert.deepEqual(typesOf((await node.request("node.pending.drain")).payload), ["status.request"]);
  });
});

test("what a node cannot do in the background is queued once, until it acknowledges it", async (t) => {
  const rig = await startGateway(t);
  const { device, node, operator, invoke } = await both(rig);
  for (let n = 1; n <= 2; n++) {
    const answer = operator.request("node.invoke", invoke());
    const { id } = (await node.event("node.invoke.request", n)).payload as { id: string };
    const error = { code: "NODE_BACKGROUND_UNAVAILABLE", message: "not in the foreground" };
    await node.request("node.invoke.result", { id, nodeId: device.id, ok: false, error });
    assert.partialDeepStrictEqual((await answer).error, {
      retryable: true,
      details: { code: "QUEUED_UNTIL_FOREGROUND" },
    });
  }
  const pulled = await node.request("node.pending.pull");
  const { actions } = pulled.payload as { actions: { id: string }[] };
  assert.equal(actions.length, 1);
  assert.partialDeepStrictEqual(actions[0], { command: "camera.snap", paramsJSON: '{"size":3}' });
  const { payload } = await node.request("node.pending.ack", { ids: [actions[0]!.id] });
  assert.partialDeepStrictEqual(payload, { ackedIds: [actions[0]!.id], remainingCount: 0 });
});
