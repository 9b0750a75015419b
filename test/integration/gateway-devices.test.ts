import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { GatewayClientOptions } from "@openclaw/gateway-client";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { asDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";

checkFramesOfEachTest();

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

  test("with an old shared token comes in with its own, as it is told to", async () => {
    const { options } = keeping();
    await (await ReferenceClient.connect(clawkit.url, TOKEN, options)).stop();
    await using client = await ReferenceClient.connect(clawkit.url, "a-token-of-before", options);
    assert.equal(client.connectErrors.length, 1);
    assert.ok(client.hello.auth.deviceToken);
  });
});
