import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type { HelloOk } from "@openclaw/gateway-protocol";
import * as protocol from "@openclaw/gateway-protocol";
import * as schemas from "@openclaw/gateway-protocol/schema";
import type { TSchema } from "typebox";
import { challengeFrame, shutdownFrame, startingFrame, tickFrame } from "../../src/edge/dialects/openclaw.ts";
import { methods } from "../../src/gateway/methods/index.ts";
import { newDevice, type TestDevice } from "../helpers/device.ts";
import {
  checkFramesOfEachTest,
  eventPayloads,
  problemOf,
  type ResponseFrame,
  results,
  sawFrame,
  sawRequest,
  seen,
} from "../helpers/gateway-frames.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../helpers/gateway-rig.ts";
import { parseFrames } from "../helpers/raw.ts";
import type { RawGatewayClient } from "../helpers/raw-gateway-client.ts";

// Every frame that the gateway sends to the clients of this file is checked against what the protocol's package publishes.
checkFramesOfEachTest();

const SECRET = { auth: { token: TOKEN } };

/** Methods whose results the package has no schema for: nothing but their frames can be checked. */
const UNPUBLISHED_RESULTS = [
  "clawkit.resume.attach",
  "clawkit.resume.open",
  "config.get",
  "config.patch",
  "device.pair.approve",
  "device.pair.list",
  "device.pair.reject",
  "device.pair.remove",
  "device.pair.rename",
  "device.token.revoke",
  "diagnostics.stability",
  "gateway.identity.get",
  "gateway.restart.request",
  "last-heartbeat",
  "node.describe",
  "node.invoke",
  "node.invoke.result",
  "node.list",
  "node.pending.ack",
  "node.pending.pull",
  "node.rename",
  "status",
  "system-event",
];

/** The same of parameters. `config.*` and others that take none are published. */
const UNPUBLISHED_PARAMS = [
  "health",
  "diagnostics.stability",
  "status",
  "system-presence",
  "last-heartbeat",
  "gateway.identity.get",
  "gateway.restart.request",
  "node.pending.pull",
];

/** Checked against a part of another published schema, or what the reference client insists on: these names have no schema. */
const UNPUBLISHED_EVENTS = ["connect.challenge", "health", "node.invoke.cancel", "presence"];

/** The code that is told, to whom. */
type Case = readonly [code: string, params: object, who?: Parameters<typeof refused>[2]];

type Rig = Awaited<ReturnType<typeof startGateway>>;

/** A method's name as the package writes it in the names of schemas. */
const named = (name: string) =>
  name
    .split(/[.-]/)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");

const published = (...names: string[]): TSchema | undefined => {
  const all = schemas.ProtocolSchemas as unknown as Readonly<Record<string, TSchema>>;
  return names.map((name) => all[name]).find((schema) => schema !== undefined);
};

const validatorOf = (name: string) => {
  const all = { ...schemas, ...protocol } as unknown as Readonly<
    Record<string, (params: unknown) => boolean>
  >;
  return all[`validate${named(name)}Params`];
};

/** What a method answers; throws if it refuses. */
async function asked(client: RawGatewayClient, method: string, params: unknown = {}) {
  const { ok, error, payload } = await client.request(method, params);
  assert.ok(ok, `${method}: ${error?.message}`);
  return payload as Record<string, unknown>;
}

describe("every frame of the built-in gateway is what the published protocol says", () => {
  test("all methods are answered, and all events told", async (t) => {
    const rig = await startGateway(t, { mock: true });
    await writeFile(rig.settings.configPath, "{}");
    await writeFile(rig.settings.logFile, "one line\n");
    using admin = await rig.connected();
    const hello = admin.frames.find(({ type }) => type === "res") as ResponseFrame;
    const { features } = hello.payload as HelloOk;
    await askOfGateway(rig, admin);
    await askOfSuspension(admin);
    await askOfDevices(rig, admin);
    await askOfNodes(rig, admin);
    await askOfResumption(rig);
    t.mock.timers.tick(60_000);
    for (const event of ["tick", "health", "presence"]) await admin.event(event);
    rig.gateway.announceShutdown("stopping", 1_500);
    await admin.event("shutdown");
    assert.deepEqual(
      features.methods.filter((name) => !seen.has(`+ ${name}`)),
      [],
      "methods that were never answered",
    );
    assert.deepEqual(
      features.events.filter((name) => !seen.has(name)),
      [],
      "events that were never told",
    );
  });

  test("all methods are refused to those without their scope or role", async (t) => {
    const rig = await startGateway(t);
    using reader = await rig.connected(["operator.read"]);
    using node = await connectNode(rig, newDevice());
    for (const [name, { scope }] of methods) {
      const { error } = await (scope === "operator.read" ? node : reader).request(name);
      assert.match(error?.message ?? "", /^(missing scope: operator|unauthorized role: operator)/, name);
    }
  });

  test("who does not get in is told why", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const wrong = { auth: { token: "guessed" } };
    const cases: Case[] = [
      ["DEVICE_IDENTITY_REQUIRED", {}],
      ["DEVICE_IDENTITY_REQUIRED", { ...SECRET, role: "node" }],
      ["PROTOCOL_MISMATCH", { ...SECRET, minProtocol: 99, maxProtocol: 99 }],
      ["AUTH_TOKEN_MISMATCH", wrong],
      ["AUTH_TOKEN_MISMATCH", wrong, { device }],
      ["AUTH_TOKEN_MISSING", {}, { device }],
      ["AUTH_DEVICE_TOKEN_MISMATCH", { auth: { deviceToken: "guessed" } }, { device }],
      ["PAIRING_REQUIRED", SECRET, { device, from: "203.0.113.5" }],
      ["PAIRING_REQUIRED", { ...SECRET, role: "node" }, { device, from: "203.0.113.5" }],
      ["DEVICE_AUTH_SIGNATURE_INVALID", SECRET, { device: { ...device, sign: () => "AAAA" } }],
      ["DEVICE_AUTH_DEVICE_ID_MISMATCH", SECRET, { device: { ...device, id: "0".repeat(64) } }],
      ...Array<Case>(10).fill(["AUTH_TOKEN_MISMATCH", wrong, { from: "203.0.113.9" }]),
      ["AUTH_RATE_LIMITED", SECRET, { from: "203.0.113.9" }],
    ];
    for (const [code, params, who] of cases) {
      const { error } = await refused(rig, params, who);
      assert.equal((error?.details as { code?: string } | undefined)?.code, code);
    }
  });

  test("what the edge says in a gateway's place, too", () => {
    sawRequest({ id: "hello", method: "connect" });
    const frames = [
      challengeFrame("nonce", 1),
      tickFrame(1),
      startingFrame("hello", 500),
      shutdownFrame("away"),
      shutdownFrame("back", 10),
    ];
    for (const bytes of frames) sawFrame(parseFrames(bytes).frames[0]!.payload.toString());
  });
});

describe("the checks themselves", () => {
  test("are made with every schema of a result that is published", () => {
    const names = [...methods.keys(), "clawkit.resume.open", "clawkit.resume.attach"];
    const unchecked: string[] = [];
    for (const name of names) {
      const schema = published(`${named(name)}Result`, `${named(name)}Response`);
      if (schema !== undefined) assert.equal(results[name], schema, name);
      else if (results[name] === undefined) unchecked.push(name);
    }
    assert.deepEqual(unchecked.sort(), UNPUBLISHED_RESULTS);
  });

  test("are made with every schema of an event that is published", () => {
    const unpublished: string[] = [];
    for (const [name, used] of Object.entries(eventPayloads)) {
      const schema = published(`${named(name)}Event`, named(name));
      if (schema === undefined) unpublished.push(name);
      else assert.equal(used, schema, name);
    }
    assert.deepEqual(unpublished.sort(), UNPUBLISHED_EVENTS);
  });

  test("tell what breaks it", () => {
    sawRequest({ id: "tail", method: "logs.tail" });
    const answer = (rest: object) => problemOf({ type: "res", id: "tail", ...rest });
    const refusal = (error: object) => answer({ ok: false, error: { message: "no", ...error } });
    const tail = { file: "gateway.log", cursor: 0, size: 0, lines: [] };
    assert.equal(answer({ ok: true, payload: tail }), undefined);
    assert.match(answer({ ok: true, payload: { ...tail, cursor: "0" } })!, /cursor/);
    assert.match(answer({ ok: true, payload: tail, seq: 1 })!, /^neither/);
    assert.match(refusal({ code: "TEAPOT" })!, /TEAPOT/);
    const advice = { code: "AUTH_TOKEN_MISMATCH", recommendedNextStep: "give up" };
    assert.match(refusal({ code: "INVALID_REQUEST", details: advice })!, /advice/);
    const scope = { code: "MISSING_SCOPE", missingScope: "operator.read" };
    assert.match(refusal({ code: "FORBIDDEN", details: scope })!, /requiredScopes/);
    assert.match(problemOf({ type: "event", event: "tick", payload: {} })!, /ts/);
    assert.match(problemOf({ type: "event", event: "rumour", payload: {} })!, /nobody announced/);
  });
});

describe("parameters", () => {
  /** What every method could be sent, and most must refuse. */
  const ANY = [
    {},
    null,
    [],
    "text",
    { "not-published": 1 },
    { text: "" },
    { nodeId: 7 },
    { requestId: "", deviceId: "" },
    { requestId: "r", "not-published": 1 },
    { limit: 0 },
    { raw: "{}", baseHash: 1 },
  ];

  test("are taken and refused as the published validators do", () => {
    const unpublished: string[] = [];
    for (const [name, { read }] of methods) {
      const validate = validatorOf(name);
      if (validate === undefined) unpublished.push(name);
      else
        for (const params of ANY) {
          const isTaken = "value" in read(params);
          // the real gateway takes none for none, and refuses an empty text behind its validator
          const isStricter = name === "system-event" && !isTaken;
          if (!isStricter) assert.equal(isTaken, validate(params ?? {}), `${name} ${JSON.stringify(params)}`);
        }
    }
    assert.deepEqual(unpublished, UNPUBLISHED_PARAMS);
  });
});

/** The gateway's own matters. */
async function askOfGateway({ settings }: Rig, admin: RawGatewayClient): Promise<void> {
  const own = [
    "health",
    "status",
    "diagnostics.stability",
    "gateway.identity.get",
    "gateway.restart.request",
  ];
  const told = ["system-presence", "last-heartbeat", "logs.tail", "config.schema"];
  for (const method of [...own, ...told]) await asked(admin, method);
  await asked(admin, "system-event", { text: "here", tags: ["test"], lastInputSeconds: 1.5 });
  const { hash: baseHash } = await asked(admin, "config.get");
  await asked(admin, "config.patch", { raw: "{logs: {keep: 3}}", baseHash });
  await asked(admin, "config.patch", { raw: "{}", baseHash: (await asked(admin, "config.get")).hash });
  await writeFile(settings.configPath, "{gateway: {port: 'none'}}");
  assert.equal((await asked(admin, "config.get")).valid, false);
  await writeFile(settings.configPath, "{}");
}

async function askOfSuspension(admin: RawGatewayClient): Promise<void> {
  const { suspensionId } = await asked(admin, "gateway.suspend.prepare", { requestId: "r" });
  assert.equal((await admin.request("gateway.suspend.prepare", { requestId: "another" })).ok, false);
  await asked(admin, "gateway.suspend.status", { suspensionId });
  await asked(admin, "gateway.suspend.resume", { suspensionId });
  await asked(admin, "gateway.suspend.status", { suspensionId });
  await admin.event("gateway.suspension", 2);
}

/** Two devices of another machine ask: one is rejected, the other approved, and one day removed. */
async function askOfDevices(rig: Rig, admin: RawGatewayClient): Promise<void> {
  const requestOf = async (device: TestDevice) => {
    const { error } = await refused(rig, SECRET, { device, from: "203.0.113.5" });
    return (error!.details as { requestId: string }).requestId;
  };
  await asked(admin, "device.pair.reject", { requestId: await requestOf(newDevice()) });
  const device = newDevice();
  const requestId = await requestOf(device);
  await asked(admin, "device.pair.list");
  await asked(admin, "device.pair.approve", { requestId });
  await admin.event("device.pair.resolved", 2);
  const own = rig.open();
  await own.connectAs(device, { ...SECRET, scopes: ["operator.pairing", "operator.read"] });
  const { id: deviceId } = device;
  await asked(own, "device.token.rotate", { deviceId, role: "operator" });
  assert.equal((await own.ended).code, 4001);
  await asked(admin, "device.token.rotate", { deviceId, role: "operator" });
  await asked(admin, "device.pair.rename", { deviceId, label: "theirs" });
  await asked(admin, "device.token.revoke", { deviceId, role: "operator" });
  await asked(admin, "device.pair.list");
  await asked(admin, "device.pair.remove", { deviceId });
}

async function connectNode(rig: Rig, device: TestDevice): Promise<RawGatewayClient> {
  const node = rig.open();
  const client = { id: "node-host", version: "1.0.0", platform: "linux", mode: "node" } as const;
  await node.connectAs(device, { ...SECRET, role: "node", client, caps: ["eye"], commands: ["look"] });
  return node;
}

/** A node is asked, answers, is in the background, is away, and comes back. */
async function askOfNodes(rig: Rig, admin: RawGatewayClient): Promise<void> {
  const device = newDevice();
  const { id: nodeId } = device;
  using node = await connectNode(rig, device);
  let asks = 0;
  const invoke = (client: RawGatewayClient) => {
    const params = { nodeId, command: "look", params: { far: true }, idempotencyKey: `${++asks}` };
    client.send({ type: "req", id: `node.invoke of ${asks}`, method: "node.invoke", params });
  };
  const request = async () => ((await node.event("node.invoke.request", asks)).payload as { id: string }).id;
  const answer = async (result: object) => {
    invoke(admin);
    await asked(node, "node.invoke.result", { id: await request(), nodeId, ...result });
  };
  await asked(admin, "node.list");
  await asked(admin, "node.describe", { nodeId });
  await asked(admin, "node.rename", { nodeId, displayName: "reef" });
  await answer({ ok: true, payloadJSON: "{}" });
  await answer({ ok: true, payload: [1] });
  await answer({ ok: false, error: { code: "BUSY", message: "later" } });
  await answer({ ok: false, error: { code: "NODE_BACKGROUND_UNAVAILABLE", message: "not now" } });
  const { actions } = await asked(node, "node.pending.pull");
  await asked(node, "node.pending.ack", { ids: [(actions as { id: string }[])[0]!.id] });
  await asked(node, "node.event", { event: "node.presence.alive" });
  await asked(node, "node.event", { event: "voice.transcript", payloadJSON: "{}" });

  invoke(admin);
  assert.equal((await asked(admin, "gateway.suspend.prepare", { requestId: "r" })).status, "busy");
  const { status, suspensionId } = await asked(admin, "gateway.suspend.prepare", {
    requestId: "r",
    drain: true,
  });
  assert.equal(status, "draining");
  await asked(admin, "gateway.suspend.status", { suspensionId });
  await asked(node, "node.invoke.result", { id: await request(), nodeId, ok: true });
  assert.equal((await asked(admin, "gateway.suspend.status", { suspensionId })).status, "ready");
  invoke(admin); // refused while it holds
  asks--;
  await asked(admin, "gateway.suspend.resume", { suspensionId });

  const leaving = await rig.connected();
  invoke(leaving);
  await request();
  leaving.socket.close();
  await node.event("node.invoke.cancel");
  invoke(admin);
  await request();
  node.socket.close();
  await admin.when(() =>
    admin.frames.find((frame) => "id" in frame && frame.id === `node.invoke of ${asks}`),
  );
  await asked(admin, "node.describe", { nodeId });
  const { queued } = await asked(admin, "node.pending.enqueue", { nodeId, type: "location.request" });
  assert.ok(queued);
  using again = await connectNode(rig, device);
  await asked(again, "node.pending.drain", { maxItems: 1 });
  await asked(again, "node.pending.drain");
}

async function askOfResumption(rig: Rig): Promise<void> {
  using one = await rig.connected();
  const { session, secret } = await asked(one, "clawkit.resume.open");
  using other = await rig.connected();
  await asked(other, "clawkit.resume.attach", { session, secret, received: 0, attempt: 1 });
}

/** A client that is not let in. */
async function refused(
  rig: Rig,
  params: object,
  { device, from }: { device?: TestDevice; from?: string } = {},
): Promise<ResponseFrame> {
  using client = rig.open({ "X-Clawkit-Edge": EDGE_KEY, ...(from && { "X-Forwarded-For": from }) });
  return await (device === undefined ? client.connect(params) : client.connectAs(device, params));
}
