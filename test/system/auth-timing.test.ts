import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { ConnectParams } from "@openclaw/gateway-protocol";
import { Authenticator } from "../../src/gateway/auth.ts";
import { type Challenge, newDevice, signed } from "../helpers/device.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../helpers/gateway-rig.ts";
import { alternating } from "../helpers/rank.ts";
import { connectParams } from "../helpers/raw-gateway-client.ts";
import { assertSame, assertSeen, wrong } from "../helpers/wrong-secrets.ts";

// What somebody sees who sends one wrong token after the other to a gateway, and takes the time of each refusal. With longer secrets and
// without the socket: src/gateway/auth-timing.test.ts.

const N = 600;
const WARM_UP = 20;

/** Microseconds for each right byte of the leak that is made, and must be seen. */
const LEAK_US = 40;

/** Takes the milliseconds from a `connect` with these credentials to its refusal; each from another address. */
async function start(t: TestContext) {
  const rig = await startGateway(t);
  const device = newDevice();
  using own = rig.open();
  const { payload } = await own.connectAs(device, { auth: { token: TOKEN } });
  const { deviceToken } = (payload as { auth: { deviceToken: string } }).auth;
  let address = 0;
  const refuse = async (auth: NonNullable<ConnectParams["auth"]>) => {
    address++;
    const from = `198.51.${address >> 8}.${address & 255}`;
    using client = rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Forwarded-For": from });
    const challenge = (await client.challenge()).payload as Challenge;
    const plain = connectParams({ auth });
    const params = "deviceToken" in auth ? signed(device, plain, challenge) : plain;
    const text = JSON.stringify({ type: "req", id: "c", method: "connect", params });
    // before the client's own listener, which checks the frame
    const answered = new Promise<number>((resolve) =>
      client.socket.prependOnceListener("message", () => resolve(performance.now())),
    );
    const sentAt = performance.now();
    client.socket.send(text);
    const tookMs = (await answered) - sentAt;
    assert.equal((await client.ended).code, 1008);
    return tookMs;
  };
  return { refuse, deviceToken };
}

/** Over what is wrong with the tokens. */
function measuresOf(refuse: (token: string) => Promise<number>, secret: string) {
  const { first, last, long } = wrong(secret);
  return { first: () => refuse(first), last: () => refuse(last), long: () => refuse(long) };
}

describe("the time in which a gateway refuses, over its socket", () => {
  test("is the same for every wrong token, of the gateway", async (t) => {
    const { refuse } = await start(t);
    const measures = measuresOf((token) => refuse({ token }), TOKEN);
    assertSame(t, await alternating(measures, { n: N, warmUp: WARM_UP }));
  });

  test("is the same for every wrong token, of a device", async (t) => {
    const { refuse, deviceToken: own } = await start(t);
    const measures = measuresOf((deviceToken) => refuse({ deviceToken }), own);
    assertSame(t, await alternating(measures, { n: N, warmUp: WARM_UP }));
  });

  test("is not, where each right byte takes longer: this test sees it", async (t) => {
    const admit = Authenticator.prototype.admit;
    const leaking = function (this: Authenticator, ...args: Parameters<typeof admit>) {
      const given = args[1].token ?? "";
      const right = [...TOKEN].findIndex((character, i) => given[i] !== character);
      const until = performance.now() + (LEAK_US / 1_000) * (right === -1 ? TOKEN.length : right);
      while (performance.now() < until);
      return admit.apply(this, args);
    };
    t.mock.method(Authenticator.prototype, "admit", leaking);
    const { refuse } = await start(t);
    const { first, last } = measuresOf((token) => refuse({ token }), TOKEN);
    assertSeen(t, await alternating({ first, last }, { n: N / 3, warmUp: WARM_UP }));
  });
});
