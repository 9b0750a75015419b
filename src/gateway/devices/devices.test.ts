import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it, type TestContext, test } from "node:test";
import type { HelloOk } from "@openclaw/gateway-protocol";
import { newDevice, type TestDevice } from "../../../test/helpers/device.ts";
import { checkFramesOfEachTest, type ResponseFrame } from "../../../test/helpers/gateway-frames.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../../../test/helpers/gateway-rig.ts";

checkFramesOfEachTest();

type Rig = Awaited<ReturnType<typeof startGateway>>;
const SECRET = { auth: { token: TOKEN } };

/** A client of another machine. */
const openRemote = (rig: Rig, link: object = {}) =>
  rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Forwarded-For": "203.0.113.5", ...link });

const authOf = (response: ResponseFrame) => (response.payload as HelloOk).auth;

/** A device of this machine that was let in; what it was given, too. */
async function paired(rig: Rig, device: TestDevice, params: object = { scopes: ["operator.read"] }) {
  const client = rig.open();
  const response = await client.connectAs(device, { ...SECRET, ...params });
  assert.equal(response.ok, true);
  return { client, token: authOf(response).deviceToken };
}

/** A remote device's request to be paired. */
async function asks(rig: Rig, device: TestDevice, scopes = ["operator.read"]) {
  using client = openRemote(rig);
  const { error } = await client.connectAs(device, { ...SECRET, scopes });
  const end = await client.ended;
  return { error: error!, end, details: error!.details as Record<string, unknown> };
}

async function list(rig: Rig) {
  using admin = await rig.connected();
  const { payload } = await admin.request("device.pair.list");
  return payload as { pending: Record<string, unknown>[]; paired: Record<string, unknown>[] };
}

describe("a device of this machine that knows the secret", () => {
  it("is paired without a word, and told a token until it uses one", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    await paired(rig, device, { scopes: ["operator.admin"] });
    const first = await paired(rig, device);
    using client = rig.open();
    assert.equal((await client.connectAs(device, { auth: { token: first.token! } })).ok, true);
    assert.equal((await paired(rig, device)).token, undefined);
    const [shown] = (await list(rig)).paired;
    assert.partialDeepStrictEqual(shown, { deviceId: device.id, roles: ["operator"], connected: true });
    assert.ok(!JSON.stringify(shown).includes(first.token!));
  });

  it("comes in with its token alone, also behind a restart", async (t) => {
    const first = await startGateway(t);
    const device = newDevice();
    const { token } = await paired(first, device);
    first.gateway.close();
    const rig = await startGateway(t, { folder: first.folder, settings: { generation: 2 } });
    using client = openRemote(rig, { "X-Clawkit-Link": "new" });
    const response = await client.connectAs(device, { auth: { token: token! }, scopes: ["operator.read"] });
    assert.partialDeepStrictEqual(authOf(response), { deviceToken: token, scopes: ["operator.read"] });
  });

  it("has no token on disk", async (t) => {
    const rig = await startGateway(t);
    const { token } = await paired(rig, newDevice());
    rig.gateway.close();
    const files = ["", "-wal"].map((end) => readFile(`${rig.settings.journalPath}${end}`).catch(() => ""));
    for (const bytes of await Promise.all(files)) assert.ok(!bytes.includes(token!));
  });
});

// a container's command line is another device each time it runs: there was no end of them
describe("devices that nobody was asked about", () => {
  const MINUTE = 60_000;

  /** A gateway whose clock the test moves, and who is paired there. */
  async function start(t: TestContext) {
    let now = 1_800_000_000_000;
    const rig = await startGateway(t, { wall: () => now });
    const ids = async () => (await list(rig)).paired.map(({ deviceId }) => deviceId as string);
    return {
      rig,
      ids,
      wait: (ms: number) => {
        now += ms;
      },
    };
  }
  const named = (displayName: string) => ({
    client: { id: "cli", version: "1", platform: "linux", mode: "cli", displayName } as const,
  });
  const visits = async (rig: Rig, device: TestDevice, displayName: string) => {
    const { client } = await paired(rig, device, named(displayName));
    client.socket.close();
    await client.ended;
  };

  it("are forgotten for the next one of the same name, a minute later", async (t) => {
    const { rig, ids, wait } = await start(t);
    const [first, other, second, third] = [newDevice(), newDevice(), newDevice(), newDevice()];
    await visits(rig, first, "box");
    await visits(rig, other, "desk");
    await paired(rig, second, named("box"));
    assert.equal((await ids()).length, 3, "it may be on its way in");
    wait(MINUTE);
    await paired(rig, third, named("box"));
    assert.deepEqual((await ids()).sort(), [other.id, second.id, third.id].sort(), "second is connected");
    assert.match(rig.logged.join("\n"), new RegExp(`device ${first.id} was forgotten`));
  });

  it("are kept once a person approved them", async (t) => {
    const { rig, ids, wait } = await start(t);
    using admin = await rig.connected();
    const [approved, next] = [newDevice(), newDevice()];
    using client = openRemote(rig);
    const { error } = await client.connectAs(approved, { ...SECRET, ...named("box") });
    const { requestId } = error!.details as { requestId: string };
    assert.equal((await admin.request("device.pair.approve", { requestId })).ok, true);
    wait(MINUTE);
    await paired(rig, next, named("box"));
    assert.deepEqual((await ids()).sort(), [approved.id, next.id].sort());
  });
});

describe("a device of another machine", () => {
  it("is refused until it is approved, and those who may approve it are told", async (t) => {
    const rig = await startGateway(t);
    using admin = await rig.connected();
    using reader = await rig.connected(["operator.read"]);
    const device = newDevice();
    const { error, end, details } = await asks(rig, device);
    const requestId = details.requestId as string;
    assert.equal(error.code, "NOT_PAIRED");
    assert.partialDeepStrictEqual(details, {
      code: "PAIRING_REQUIRED",
      reason: "not-paired",
      remediationHint: "Approve this device from the pending pairing requests.",
      requestedScopes: ["operator.read"],
    });
    assert.deepEqual(end, {
      code: 1008,
      reason: `pairing required: device is not approved yet (requestId: ${requestId})`,
    });
    assert.partialDeepStrictEqual((await admin.event("device.pair.requested")).payload, {
      requestId,
      remoteIp: "203.0.113.5",
    });
    assert.equal((await asks(rig, device)).details.requestId, requestId, "asked twice, and is two requests");
    assert.equal((await admin.request("device.pair.approve", { requestId })).ok, true);
    await admin.event("device.pair.resolved");
    using client = openRemote(rig);
    assert.ok(authOf(await client.connectAs(device, { ...SECRET, scopes: ["operator.read"] })).deviceToken);
    assert.deepEqual(
      [admin, reader].map((one) => one.events("device.pair.requested").length),
      [1, 0],
    );
  });

  it("that was rejected asks anew", async (t) => {
    const rig = await startGateway(t);
    using admin = await rig.connected();
    const device = newDevice();
    const { requestId } = (await asks(rig, device)).details;
    const { payload } = await admin.request("device.pair.reject", { requestId });
    assert.deepEqual(payload, { requestId, deviceId: device.id });
    assert.deepEqual((await list(rig)).pending, []);
    assert.notEqual((await asks(rig, device)).details.requestId, requestId);
  });

  it("that asks for more than it was approved for has to be approved again", async (t) => {
    const rig = await startGateway(t);
    using admin = await rig.connected();
    const device = newDevice();
    const { requestId } = (await asks(rig, device)).details;
    await admin.request("device.pair.approve", { requestId });
    const { details } = await asks(rig, device, ["operator.write"]);
    assert.partialDeepStrictEqual(details, { reason: "scope-upgrade", approvedScopes: ["operator.read"] });
  });

  it("does not get with its token what its token is not for", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const { token } = await paired(rig, device);
    // on this machine, too: a token is no secret of the gateway
    using client = rig.open();
    const { error } = await client.connectAs(device, { auth: { token: token! }, scopes: ["operator.admin"] });
    assert.partialDeepStrictEqual(error?.details, { code: "PAIRING_REQUIRED", reason: "scope-upgrade" });
  });

  it("with a wrong token is told to use its own", async (t) => {
    const rig = await startGateway(t);
    using client = openRemote(rig);
    const { error } = await client.connectAs(newDevice(), { auth: { token: "another" } });
    assert.deepEqual(error?.details, {
      code: "AUTH_TOKEN_MISMATCH",
      authReason: "token_mismatch",
      canRetryWithDeviceToken: true,
      recommendedNextStep: "retry_with_device_token",
    });
  });

  it("may not be approved by who has less", async (t) => {
    const rig = await startGateway(t);
    const { requestId } = (await asks(rig, newDevice(), ["operator.write"])).details;
    using approver = await rig.connected(["operator.pairing"]);
    const { error } = await approver.request("device.pair.approve", { requestId });
    assert.equal(error?.message, "missing scope: operator.write");
  });
});

test("a device's token is neither rotated nor revoked by who has less", async (t) => {
  const rig = await startGateway(t);
  const device = newDevice();
  await paired(rig, device, { scopes: ["operator.admin"] });
  using approver = await rig.connected(["operator.pairing"]);
  for (const method of ["device.token.rotate", "device.token.revoke"]) {
    const { error } = await approver.request(method, { deviceId: device.id, role: "operator" });
    assert.equal(error?.message, "missing scope: operator.admin");
  }
});

describe("a device that is shown out is cut off at once, with 4001", () => {
  async function shownOut(t: TestContext, method: string, params: (deviceId: string) => object) {
    const rig = await startGateway(t);
    const device = newDevice();
    const { client, token } = await paired(rig, device);
    using admin = await rig.connected();
    const response = await admin.request(method, params(device.id));
    assert.equal(response.ok, true);
    assert.deepEqual(await client.ended, { code: 4001, reason: "gateway auth changed" });
    using again = openRemote(rig);
    const { error } = await again.connectAs(device, { auth: { token: token!, deviceToken: token! } });
    assert.partialDeepStrictEqual(error?.details, { code: "AUTH_DEVICE_TOKEN_MISMATCH" });
    return { rig, device, response };
  }

  it("when its token is revoked; not even this machine's secret lets it in unseen", async (t) => {
    const role = "operator";
    const { rig, device } = await shownOut(t, "device.token.revoke", (deviceId) => ({ deviceId, role }));
    using again = rig.open();
    const { error } = await again.connectAs(device, SECRET);
    assert.partialDeepStrictEqual(error?.details, { code: "PAIRING_REQUIRED", reason: "role-upgrade" });
  });

  it("when it is removed", async (t) => {
    const { rig } = await shownOut(t, "device.pair.remove", (deviceId) => ({ deviceId }));
    assert.deepEqual((await list(rig)).paired, []);
  });

  it("when its token is rotated, of which others are not told", async (t) => {
    const role = "operator";
    const { response } = await shownOut(t, "device.token.rotate", (deviceId) => ({ deviceId, role }));
    const { token, tokenDelivery } = response.payload as Record<string, unknown>;
    assert.deepEqual({ token, tokenDelivery }, { token: undefined, tokenDelivery: "withheld-cross-device" });
  });

  it("and nothing that it sent behind that is done", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const { client } = await paired(rig, device, { scopes: ["operator.admin"] });
    const params = { deviceId: device.id, role: "operator" };
    client.send({ type: "req", id: "revoke", method: "device.token.revoke", params });
    client.send({ type: "req", id: "late", method: "gateway.restart.request", params: {} });
    assert.equal((await client.ended).code, 4001);
    const answered = client.frames.filter((frame) => frame.type === "res").map(({ id }) => id);
    assert.deepEqual(answered.slice(1), ["revoke"]);
    assert.deepEqual(rig.restarts, []);
  });
});

test("a device that rotates its own token is told the new one, and comes in with it", async (t) => {
  const rig = await startGateway(t);
  const device = newDevice();
  const { client } = await paired(rig, device, { scopes: ["operator.pairing", "operator.read"] });
  const { payload } = await client.request("device.token.rotate", { deviceId: device.id, role: "operator" });
  assert.equal((await client.ended).code, 4001);
  const { token } = payload as { token: string };
  using again = openRemote(rig);
  assert.equal((await again.connectAs(device, { auth: { token } })).ok, true);
});

// approved for one thing more, a token that was rotated down had all that its device was ever approved for
test("a token that was given less has no more behind an approval than that was for", async (t) => {
  const rig = await startGateway(t);
  const device = newDevice();
  const { client } = await paired(rig, device, { scopes: ["operator.admin"] });
  const rotate = { deviceId: device.id, role: "operator", scopes: ["operator.read"] };
  const { token } = (await client.request("device.token.rotate", rotate)).payload as { token: string };
  const asOwn = (scopes: string[]) => {
    const one = openRemote(rig);
    return one.connectAs(device, { auth: { deviceToken: token }, scopes });
  };
  const { requestId } = (await asOwn(["operator.pairing"])).error!.details as { requestId: string };
  using approver = await rig.connected(["operator.pairing", "operator.read"]);
  assert.equal((await approver.request("device.pair.approve", { requestId })).ok, true);
  assert.equal((await asOwn(["operator.pairing", "operator.read"])).ok, true);
  for (const scope of ["operator.write", "operator.admin"])
    assert.partialDeepStrictEqual((await asOwn([scope])).error?.details, { reason: "scope-upgrade" });
});

test("a device without admin manages none but itself", async (t) => {
  const rig = await startGateway(t);
  const other = newDevice();
  await paired(rig, other);
  const { requestId } = (await asks(rig, newDevice())).details;
  const node = newDevice();
  await paired(rig, node, { role: "node" });
  const { client } = await paired(rig, newDevice(), { scopes: ["operator.pairing", "operator.read"] });
  const { payload } = await client.request("device.pair.list");
  const { pending, paired: shown } = payload as { pending: object[]; paired: object[] };
  assert.deepEqual([pending.length, shown.length], [0, 1]);
  for (const [method, params] of [
    ["device.pair.approve", { requestId }],
    ["device.pair.reject", { requestId }],
    ["device.pair.remove", { deviceId: other.id }],
    ["device.pair.rename", { deviceId: other.id, label: "mine" }],
    ["device.token.rotate", { deviceId: other.id, role: "operator" }],
    ["device.token.revoke", { deviceId: other.id, role: "operator" }],
    ["node.rename", { nodeId: node.id, displayName: "mine" }],
  ] as const) {
    const { error } = await client.request(method, params);
    assert.match(error?.message ?? "", /^unknown (requestId|deviceId|nodeId)$/, method);
  }
});

// `grants.__proto__` is an object: it was taken for a role of the device, and written down as one
test("a role that does not exist has no token, whatever it is called", async (t) => {
  const rig = await startGateway(t);
  const device = newDevice();
  await paired(rig, device);
  using admin = await rig.connected();
  for (const role of ["__proto__", "constructor", "toString", "chief"]) {
    for (const [method, params] of [
      ["device.token.rotate", { deviceId: device.id, role, scopes: [] }],
      ["device.token.revoke", { deviceId: device.id, role }],
    ] as const) {
      const { error } = await admin.request(method, params);
      assert.equal(error?.code, "INVALID_REQUEST", `${method} ${role}`);
    }
  }
  assert.partialDeepStrictEqual((await list(rig)).paired, [
    { roles: ["operator"], scopes: ["operator.read"] },
  ]);
});
