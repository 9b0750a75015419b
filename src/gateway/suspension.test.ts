import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { newDevice } from "../../test/helpers/device.ts";
import { checkFramesOfEachTest, type ResponseFrame } from "../../test/helpers/gateway-frames.ts";
import { NOW, startGateway, TOKEN } from "../../test/helpers/gateway-rig.ts";

checkFramesOfEachTest();

/** A gateway with an admin and a node that is asked with `invoke`. */
async function start(t: TestContext) {
  const clock = { now: NOW };
  const rig = await startGateway(t, { wall: () => clock.now });
  const device = newDevice();
  const node = rig.open();
  await node.connectAs(device, { role: "node", commands: ["wait"], auth: { token: TOKEN } });
  const admin = await rig.connected();
  const invoke = { nodeId: device.id, command: "wait", idempotencyKey: "once" };
  const prepare = (params: object = {}) =>
    admin.request("gateway.suspend.prepare", { requestId: "r", ...params });
  return { rig, clock, device, node, admin, invoke, prepare };
}

const payloadOf = ({ payload }: ResponseFrame) => payload as Record<string, unknown>;

describe("a gateway that is suspended", () => {
  it("begins nothing new, tells its clients, and goes on when it is resumed", async (t) => {
    const { admin, prepare, invoke } = await start(t);
    const prepared = payloadOf(await prepare());
    assert.partialDeepStrictEqual(prepared, { status: "ready", expiresAtMs: NOW + 120_000, activeCount: 0 });
    const { error } = await admin.request("node.invoke", invoke);
    assert.partialDeepStrictEqual(error, { code: "UNAVAILABLE", details: { reason: "gateway-suspended" } });
    assert.equal((await admin.request("health")).ok, true);
    const { suspensionId } = prepared;
    assert.equal(payloadOf(await admin.request("gateway.suspend.status", { suspensionId })).status, "ready");
    const resumed = await admin.request("gateway.suspend.resume", { suspensionId });
    assert.deepEqual(resumed.payload, { ok: true, status: "running", resumed: true });
    assert.equal(payloadOf(await admin.request("gateway.suspend.resume", { suspensionId })).resumed, false);
    const phases = admin
      .events("gateway.suspension")
      .map(({ payload }) => (payload as { phase: string }).phase);
    assert.deepEqual(phases, ["prepared", "accepting"]);
  });

  it("is busy while something is not answered, or drains until it is", async (t) => {
    const { admin, node, device, prepare, invoke } = await start(t);
    const answer = admin.request("node.invoke", invoke);
    const { id } = (await node.event("node.invoke.request")).payload as { id: string };
    assert.partialDeepStrictEqual((await prepare()).payload, { status: "busy", activeCount: 1 });
    const { status, suspensionId } = payloadOf(await prepare({ drain: true }));
    assert.equal(status, "draining");
    const statusNow = async () =>
      payloadOf(await admin.request("gateway.suspend.status", { suspensionId })).status;
    assert.equal(await statusNow(), "draining");
    await node.request("node.invoke.result", { id, nodeId: device.id, ok: true });
    assert.equal((await answer).ok, true);
    assert.equal(await statusNow(), "ready");
  });

  it("stays so behind a restart", async (t) => {
    const { rig, prepare } = await start(t);
    await prepare();
    rig.gateway.close();
    const next = await startGateway(t, { folder: rig.folder, settings: { generation: 2 } });
    using client = next.open({ "X-Clawkit-Edge": "what-only-the-edge-knows", "X-Clawkit-Link": "new" });
    const { payload } = await client.connect({ auth: { token: TOKEN } });
    assert.deepEqual((payload as { snapshot: { suspension: object } }).snapshot.suspension, {
      phase: "prepared",
    });
  });

  it("is so for two minutes, and for one caller", async (t) => {
    const { clock, prepare } = await start(t);
    await prepare();
    const { error } = await prepare({ requestId: "another" });
    assert.partialDeepStrictEqual(error, {
      details: { reason: "gateway-suspension-conflict" },
      retryAfterMs: 120_000,
    });
    clock.now += 120_000;
    assert.equal(payloadOf(await prepare({ requestId: "another" })).status, "ready");
  });
});
