import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { HelloOk } from "@openclaw/gateway-protocol";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { newDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest, type ResponseFrame } from "../helpers/gateway-frames.ts";
import { connectParams, RawGatewayClient } from "../helpers/raw-gateway-client.ts";

const PASSWORD = "correct horse battery";
const RIGHT = { auth: { token: TOKEN } };

const MISMATCH = "unauthorized: gateway token mismatch (provide gateway auth token)";
const LOCKED_OUT = "unauthorized: too many failed authentication attempts (retry later)";
const NOT_A_CONNECT = "invalid handshake: first request must be connect";

const KB = 1024;
const MB = 1024 * KB;

checkFramesOfEachTest();

describe("the handshake of the built-in gateway, through the edge", () => {
  let clawkit: TestClawkit;
  before(async () => {
    // so that a test can come from another address: the reverse proxy on this machine is believed
    clawkit = await TestClawkit.run({ gateway: { trustedProxies: ["127.0.0.1"] } });
  });
  after(() => clawkit[Symbol.asyncDispose]());

  const open = () => new RawGatewayClient(clawkit.url);

  test("begins with a challenge that is new for each connection", async () => {
    using one = open();
    using other = open();
    const [first, second] = [await one.challenge(), await other.challenge()];
    assert.notEqual(nonceOf(first), nonceOf(second));
    assert.equal(first.seq, undefined);
  });

  test("ends with hello-ok, and the first event has number 1", async () => {
    using client = open();
    const response = await client.connect(RIGHT);
    assert.deepEqual(outcomeOf(response), { type: "hello-ok", protocol: 4 });
    assert.equal((await client.event("presence")).seq, 1);
  });

  const accepted = {
    "exactly the current protocol": {},
    "a range of protocols around the current one": { minProtocol: 3, maxProtocol: 5 },
    "protocol 3, as a probe": {
      minProtocol: 3,
      maxProtocol: 3,
      client: { id: "openclaw-probe", version: "1.0.0", platform: "test", mode: "probe" },
    },
  } as const;
  for (const [name, params] of Object.entries(accepted)) {
    test(`accepts ${name}`, async () => {
      using client = open();
      assert.deepEqual(outcomeOf(await client.connect({ ...RIGHT, ...params })), {
        type: "hello-ok",
        protocol: 4,
      });
    });
  }

  test("accepts protocol 3, as a node", async () => {
    using client = open();
    const hello = await client.connectAs(newDevice(), {
      ...RIGHT,
      minProtocol: 3,
      maxProtocol: 3,
      role: "node",
      client: { id: "node-host", version: "1.0.0", platform: "test", mode: "node" },
    });
    assert.deepEqual(outcomeOf(hello), { type: "hello-ok", protocol: 4 });
  });

  const refused = {
    "a wrong token": {
      params: { auth: { token: "not-the-token" } },
      message: MISMATCH,
      close: 1008,
      details: hintsOf("AUTH_TOKEN_MISMATCH", "token_mismatch"),
    },
    "no credentials": {
      params: {},
      message: "device identity required",
      close: 1008,
      details: { code: "DEVICE_IDENTITY_REQUIRED" },
    },
    "an empty token": {
      params: { auth: { token: "" } },
      message: "device identity required",
      close: 1008,
      details: { code: "DEVICE_IDENTITY_REQUIRED" },
    },
    "protocol 99": {
      params: { ...RIGHT, minProtocol: 99, maxProtocol: 99 },
      message: "protocol mismatch",
      close: 1002,
      details: { code: "PROTOCOL_MISMATCH", expectedProtocol: 4 },
    },
    "protocol 3, as an operator": {
      params: { ...RIGHT, minProtocol: 3, maxProtocol: 3 },
      message: "protocol mismatch",
      close: 1002,
      details: { code: "PROTOCOL_MISMATCH", expectedProtocol: 4 },
    },
    "a role that does not exist": {
      params: { ...RIGHT, role: "chief" },
      message: "invalid role",
      close: 1008,
      details: undefined,
    },
  };
  for (const [name, { params, message, close, details }] of Object.entries(refused)) {
    test(`refuses ${name} with ${close} and the reason, in the response and in the close`, async () => {
      using client = open();
      assert.deepEqual(outcomeOf(await client.connect(params)), { message, details });
      assert.deepEqual(await client.ended, { code: close, reason: message });
    });
  }

  test("refuses connect params that the schema refuses, and says where", async () => {
    using client = open();
    await client.challenge();
    const response = await client.request("connect", {
      ...connectParams(RIGHT),
      scopes: ["operator.read", 1],
    });
    assert.match(response.error!.message, /^invalid connect params: \/scopes\/1/);
    assert.deepEqual(await client.ended, { code: 1008, reason: response.error!.message });
  });

  // the reason was once cut to 120 characters: 100 of two bytes were too many for a Close frame, and the gateway died
  test("refuses connect params with names that are long in bytes, and survives it", async () => {
    using client = open();
    await client.challenge();
    const { generation } = (await clawkit.ready()).gateway;
    client.send({
      type: "req",
      id: "1",
      method: "connect",
      params: { ...connectParams(), permissions: { ["ü".repeat(100)]: "yes" } },
    });
    assert.equal((await client.ended).code, 1008);
    assert.equal((await clawkit.ready()).gateway.generation, generation);
  });

  test("refuses any other first request with 1008", async () => {
    using client = open();
    await client.challenge();
    assert.deepEqual(outcomeOf(await client.request("health")), {
      message: NOT_A_CONNECT,
      details: undefined,
    });
    assert.deepEqual(await client.ended, { code: 1008, reason: NOT_A_CONNECT });
  });

  test("closes with 1008 on JSON that is no request, without a response", async () => {
    using client = open();
    await client.challenge();
    client.send({ hello: "world" });
    assert.equal((await client.ended).code, 1008);
    assert.deepEqual(
      client.frames.map(({ type }) => type),
      ["event"],
    );
  });

  test("closes with 1000 and no reason on anything that is not JSON", async () => {
    using client = open();
    await client.challenge();
    client.send("GET / HTTP/1.1");
    assert.deepEqual(await client.ended, { code: 1000, reason: "" });
  });

  describe("sizes", () => {
    /** A connect request of exactly this many bytes. */
    function connectOf(bytes: number): string {
      const frame = (userAgent: string) => ({
        type: "req",
        id: "connect 1",
        method: "connect",
        params: connectParams({ ...RIGHT, userAgent }),
      });
      const rest = bytes - Buffer.byteLength(JSON.stringify(frame("")));
      return JSON.stringify(frame("x".repeat(rest)));
    }

    /** A request of exactly this many bytes for a method that does not exist. */
    function requestOf(bytes: number): string {
      const frame = (method: string) => JSON.stringify({ type: "req", id: "big", method });
      return frame("x".repeat(bytes - Buffer.byteLength(frame(""))));
    }

    test("64 KiB are accepted before authentication", async () => {
      using client = open();
      await client.challenge();
      client.send(connectOf(64 * KB));
      assert.equal((await client.when(() => client.frames[1])).type, "res");
    });

    test("one byte more is closed with 1009 and no reason", async () => {
      using client = open();
      await client.challenge();
      client.send(connectOf(64 * KB + 1));
      assert.deepEqual(await client.ended, { code: 1009, reason: "" });
    });

    test("one byte more in two fragments is too", async () => {
      using client = open();
      await client.challenge();
      const text = connectOf(64 * KB + 1);
      client.socket.send(text.slice(0, 40 * KB), { fin: false });
      client.socket.send(text.slice(40 * KB), { fin: true });
      assert.deepEqual(await client.ended, { code: 1009, reason: "" });
    });

    test("25 MiB are accepted after authentication", async () => {
      using client = open();
      await client.connect(RIGHT);
      client.send(requestOf(25 * MB));
      const response = await client.when(() =>
        client.frames.find((frame) => "id" in frame && frame.id === "big"),
      );
      assert.equal("ok" in response && response.ok, false);
    });

    test("one byte more is closed with 1009 and no reason, although the client is still sending", async () => {
      using client = open();
      await client.connect(RIGHT);
      client.send(requestOf(25 * MB + 1));
      assert.deepEqual(await client.ended, { code: 1009, reason: "" });
    });
  });

  test("after it, anything that is no request is ignored", async () => {
    using client = open();
    await client.connect(RIGHT);
    client.send("not JSON");
    client.send(Buffer.from([0, 1, 2]));
    client.send("[]");
    assert.equal((await client.request("health")).ok, true);
  });

  test("after it, a second connect is an error and changes nothing", async () => {
    using client = open();
    await client.connect({ ...RIGHT, scopes: ["operator.read"] });
    const second = await client.request("connect", connectParams({ ...RIGHT, scopes: ["operator.admin"] }));
    assert.equal(second.error?.code, "INVALID_REQUEST");
    assert.equal((await client.request("system-event", { text: "hello" })).error?.code, "FORBIDDEN");
  });

  describe("a client behind the trusted proxy", () => {
    const openFrom = (forwardedFor: string) =>
      new RawGatewayClient(clawkit.url, { headers: { "X-Forwarded-For": forwardedFor } });

    async function connectFrom(forwardedFor: string, token: string): Promise<ResponseFrame> {
      using client = openFrom(forwardedFor);
      const response = await client.connect({ auth: { token }, scopes: ["operator.admin"] });
      if (!response.ok) await client.ended;
      return response;
    }

    test("may read, whatever scopes it asks for", async () => {
      const response = await connectFrom("203.0.113.1", TOKEN);
      assert.deepEqual((response.payload as HelloOk).auth, { role: "operator", scopes: ["operator.read"] });
    });

    test("is locked out after ten wrong tokens, even with the right one, and told for how long", async () => {
      for (let i = 0; i < 10; i++) {
        const { error } = await connectFrom("203.0.113.7", `guess ${i}`);
        assert.equal(error?.message, MISMATCH);
      }
      using client = openFrom("203.0.113.7");
      const { error } = await client.connect(RIGHT);
      assert.deepEqual(
        [error?.message, error?.details, error?.retryable],
        [LOCKED_OUT, hintsOf("AUTH_RATE_LIMITED", "rate_limited", "wait_then_retry"), true],
      );
      assert.ok(error!.retryAfterMs! > 200_000 && error!.retryAfterMs! <= 300_000, `${error!.retryAfterMs}`);
      assert.deepEqual(await client.ended, { code: 1008, reason: LOCKED_OUT });
      assert.equal((await connectFrom("203.0.113.8", TOKEN)).ok, true, "its neighbour was locked out too");
    });

    test("that is a device comes in with its token, while its address is locked out from the secret", async () => {
      const device = newDevice();
      using here = open();
      const { auth } = (await here.connectAs(device, RIGHT)).payload as HelloOk;
      for (let i = 0; i < 10; i++) await connectFrom("203.0.113.11", `guess ${i}`);
      using withSecret = openFrom("203.0.113.11");
      const { error } = await withSecret.connectAs(device, RIGHT);
      assert.equal(error?.message, LOCKED_OUT);
      using withToken = openFrom("203.0.113.11");
      const response = await withToken.connectAs(device, { auth: { deviceToken: auth.deviceToken! } });
      assert.deepEqual((response.payload as HelloOk).auth.scopes, ["operator.read"]);
    });

    test("is locked out from wherever its proxy says that its connection began", async () => {
      for (let port = 50_000; port < 50_010; port++)
        await connectFrom(`203.0.113.12:${port}`, `guess ${port}`);
      const { error } = await connectFrom("203.0.113.12:50010", TOKEN);
      assert.equal(error?.message, LOCKED_OUT);
    });

    test("does not lock out this machine, and is not let in with it", async () => {
      for (let i = 0; i < 10; i++) await connectFrom("127.0.0.1", `guess ${i}`);
      assert.equal((await connectFrom("127.0.0.1", TOKEN)).error?.message, LOCKED_OUT);
      using here = open();
      assert.equal((await here.connect(RIGHT)).ok, true);
    });

    test("is locked out whatever it claims about itself", async () => {
      for (let i = 0; i < 10; i++) await connectFrom(`198.51.100.${i}, 203.0.113.9`, `guess ${i}`);
      const { error } = await connectFrom("198.51.100.99, 203.0.113.9", TOKEN);
      assert.equal(error?.message, LOCKED_OUT);
    });
  });
});

describe("the handshake in password mode", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run({ gateway: { auth: { mode: "password", password: PASSWORD } } });
  });
  after(() => clawkit[Symbol.asyncDispose]());

  const open = () => new RawGatewayClient(clawkit.url);

  test("accepts the password", async () => {
    using client = open();
    const response = await client.connect({ auth: { password: PASSWORD } });
    assert.deepEqual(outcomeOf(response), { type: "hello-ok", protocol: 4 });
  });

  test("refuses a wrong one with 1008", async () => {
    using client = open();
    const message = "unauthorized: gateway password mismatch (provide gateway auth password)";
    const response = await client.connect({ auth: { password: "wrong horse" } });
    const details = hintsOf("AUTH_PASSWORD_MISMATCH", "password_mismatch");
    assert.deepEqual(outcomeOf(response), { message, details });
    assert.deepEqual(await client.ended, { code: 1008, reason: message });
  });

  test("does not take the password for a token", async () => {
    using client = open();
    assert.equal((await client.connect({ auth: { token: PASSWORD } })).ok, false);
    assert.equal((await client.ended).code, 1008);
  });

  // the last of this gateway: nobody of this machine comes in for five minutes
  test("locks this machine out, too, after ten wrong ones", async () => {
    for (let i = 0; i < 10; i++) {
      using client = open();
      assert.equal((await client.connect({ auth: { password: `guess ${i}` } })).ok, false);
    }
    using client = open();
    const { error } = await client.connect({ auth: { password: PASSWORD } });
    assert.deepEqual([error?.message, error?.retryable], [LOCKED_OUT, true]);
  });
});

/** What a response to `connect` says, as far as these tests compare it. */
function outcomeOf({ ok, payload, error }: ResponseFrame): object {
  if (ok) {
    const { type, protocol } = payload as HelloOk;
    return { type, protocol };
  }
  return { message: error?.message, details: error?.details };
}

function nonceOf(challenge: { readonly payload?: unknown }): unknown {
  return (challenge.payload as { nonce: unknown }).nonce;
}

/** What a client without an identity is told that it can do. */
function hintsOf(code: string, authReason: string, recommendedNextStep = "update_auth_credentials"): object {
  return { code, authReason, canRetryWithDeviceToken: false, recommendedNextStep };
}
