import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { GatewayClientOptions } from "@openclaw/gateway-client";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { asDevice, newDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";

checkFramesOfEachTest();

/** From an admin's request to the device's close: printed, a few milliseconds on a quiet machine. */
const MAX_CUT_MS = 1_000;

/** A device that keeps its token, as a user's client does. */
function keeping() {
  const kept: { token?: string; scopes?: string[] } = {};
  const device = asDevice();
  const options: GatewayClientOptions = {
    ...device,
    scopes: ["operator.pairing", "operator.read"],
    hostDeps: {
      ...device.hostDeps,
      storeDeviceAuthToken: ({ token, scopes }: { token: string; scopes: string[] }) =>
        Object.assign(kept, { token, scopes }),
      loadDeviceAuthToken: () =>
        kept.token === undefined ? null : { token: kept.token, scopes: kept.scopes ?? [] },
      clearDeviceAuthToken: () => {
        delete kept.token;
      },
    } as NonNullable<GatewayClientOptions["hostDeps"]>,
  };
  return { kept, options, id: device.deviceIdentity!.deviceId };
}

describe("the reference client as a device of the built-in gateway", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run();
  });
  after(() => clawkit[Symbol.asyncDispose]());

  test("is given a token, and comes in with nothing else", async () => {
    const { kept, options } = keeping();
    await (await ReferenceClient.connect(clawkit.url, TOKEN, options)).stop();
    assert.ok(kept.token);
    await using client = await ReferenceClient.connect(clawkit.url, undefined, options);
    assert.partialDeepStrictEqual(client.hello.auth, { role: "operator", deviceToken: kept.token });
    assert.equal((await client.request<{ paired: object[] }>("device.pair.list")).paired.length, 1);
  });

  test("whose token is revoked is cut off with 4001, forgets it and asks no more", async () => {
    const { kept, options, id } = keeping();
    await (await ReferenceClient.connect(clawkit.url, TOKEN, options)).stop();
    await using client = await ReferenceClient.connect(clawkit.url, undefined, options);
    await using admin = await ReferenceClient.connect(clawkit.url, TOKEN, { scopes: ["operator.admin"] });
    await admin.request("device.token.revoke", { deviceId: id, role: "operator" });
    const pause = await client.when(() => client.pauses[0]);
    assert.deepEqual(client.closes[0], { code: 4001, reason: "gateway auth changed" });
    assert.equal(pause.detailCode, "AUTH_DEVICE_TOKEN_MISMATCH");
    assert.equal(kept.token, undefined);
  });

  for (const [how, method, params] of [
    ["is revoked", "device.token.revoke", { role: "operator" }],
    ["is rotated", "device.token.rotate", { role: "operator" }],
    ["is gone with its pairing", "device.pair.remove", {}],
  ] as const) {
    test(`whose token ${how} is cut off at once, in the middle of its requests`, async (t) => {
      const device = newDevice();
      using client = new RawGatewayClient(clawkit.url);
      assert.equal((await client.connectAs(device, { auth: { token: TOKEN } })).ok, true);
      using admin = new RawGatewayClient(clawkit.url);
      await admin.connect({ auth: { token: TOKEN }, scopes: ["operator.admin"] });
      let asked = 0;
      const asking = setInterval(() => {
        for (let i = 0; i < 20; i++) client.send({ type: "req", id: `health ${++asked}`, method: "health" });
      }, 1);
      t.after(() => clearInterval(asking));
      await client.when(() => (client.frames.length > 100 ? true : undefined));
      const sentAt = performance.now();
      const revoked = admin.request(method, { deviceId: device.id, ...params });
      assert.deepEqual(await client.ended, { code: 4001, reason: "gateway auth changed" });
      const tookMs = performance.now() - sentAt;
      clearInterval(asking);
      assert.equal((await revoked).ok, true);
      const answers = client.frames.filter(({ type }) => type === "res").length - 1;
      t.diagnostic(
        `closed ${tookMs.toFixed(1)} ms after it was asked for; ${asked - answers} of ${asked} unanswered`,
      );
      assert.ok(tookMs < MAX_CUT_MS, `${tookMs} ms`);
    });
  }

  test("with an old shared token comes in with its own, as it is told to", async () => {
    const { options } = keeping();
    await (await ReferenceClient.connect(clawkit.url, TOKEN, options)).stop();
    await using client = await ReferenceClient.connect(clawkit.url, "a-token-of-before", options);
    assert.equal(client.connectErrors.length, 1);
    assert.ok(client.hello.auth.deviceToken);
  });
});
