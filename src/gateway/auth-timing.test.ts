import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { alternating } from "../../test/helpers/rank.ts";
import { assertSame, assertSeen, wrong } from "../../test/helpers/wrong-secrets.ts";
import { Authenticator, isSameSecret, type ProvenDevice } from "./auth.ts";
import { isToken } from "./devices/devices.ts";

// over a socket: test/system/auth-timing.test.ts

/** Long, so that a comparison that stops early is seen: the secret's own length is nobody's secret here. */
const LONG = 4_096;

const SAMPLES = { n: 2_000, warmUp: 500 };

/** Microseconds that a call takes. */
function timed(call: () => unknown): number {
  const start = process.hrtime.bigint();
  call();
  return Number(process.hrtime.bigint() - start) / 1_000;
}

describe("the time in which a comparison finds a secret wrong", () => {
  const secret = randomBytes(LONG / 2).toString("hex");
  const samplesOf = (compare: (given: string, expected: string) => boolean) => {
    const { first, last, short, long } = wrong(secret);
    const measures = Object.fromEntries(
      Object.entries({ first, last, short, long }).map(([name, given]) => [
        name,
        () => timed(() => compare(given, secret)),
      ]),
    );
    return alternating(measures, SAMPLES);
  };

  it("does not say where", async (t) => assertSame(t, await samplesOf(isSameSecret)));

  it("does with one that stops at the first difference: this test sees it", async (t) => {
    const stopping = (given: string, expected: string) => {
      if (given.length !== expected.length) return false;
      for (let i = 0; i < given.length; i++) if (given[i] !== expected[i]) return false;
      return true;
    };
    assertSeen(t, await samplesOf(stopping));
  });
});

describe("the time in which an authenticator refuses", () => {
  const secret = randomBytes(LONG / 2).toString("hex");
  const { first, last, short, long } = wrong(secret);
  let address = 0;
  /** Nobody has two guesses: none is locked out. */
  const samplesOf = (auth: Authenticator, key: "token" | "deviceToken", device?: ProvenDevice) => {
    const measures = Object.entries({ first, last, short, long }).map(([name, given]) => [
      name,
      () => timed(() => auth.admit(`address ${++address}`, { [key]: given }, device)),
    ]);
    return alternating(Object.fromEntries(measures) as Record<string, () => number>, SAMPLES);
  };

  it("is the same for every wrong token", async (t) => {
    const auth = new Authenticator({ mode: "token", secret }, { now: () => 0, wall: () => 0 });
    assertSame(t, await samplesOf(auth, "token"));
  });

  it("is the same for every wrong token of a device", async (t) => {
    const digest = createHash("sha256").update(secret).digest("base64url");
    const grant = { scopes: [], approvedAtMs: 0, token: { digest, scopes: [], createdAtMs: 0 } };
    assert.ok(isToken(secret, grant));
    const device = { id: "device", isToken: (token: string) => isToken(token, grant) };
    const auth = new Authenticator({ mode: "token", secret: "another" }, { now: () => 0, wall: () => 0 });
    assertSame(t, await samplesOf(auth, "deviceToken", device));
  });
});
