import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Authenticator, type AuthSettings, isSameSecret } from "./auth.ts";

const SECRET = "a-shared-secret-of-some-length";
const ADDRESS = "198.51.100.7";
const TOKEN_MODE: AuthSettings = { mode: "token", secret: SECRET };
const PASSWORD_MODE: AuthSettings = { mode: "password", secret: SECRET };

/** An authenticator whose clock a test moves. */
function authenticator(settings: AuthSettings) {
  const clock = { nowMs: 0, now: () => clock.nowMs, wall: () => 0 };
  return { auth: new Authenticator(settings, clock), clock };
}

describe("in token mode", () => {
  it("the token lets in", () => {
    const { auth } = authenticator(TOKEN_MODE);
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET }), undefined);
  });

  it("another token does not", () => {
    const { auth } = authenticator(TOKEN_MODE);
    assert.deepEqual(auth.refusalOf(ADDRESS, { token: "another" }), {
      message: "unauthorized: gateway token mismatch (provide gateway auth token)",
      detailCode: "AUTH_TOKEN_MISMATCH",
    });
  });

  for (const [name, credentials] of Object.entries({
    nothing: {},
    "an empty token": { token: "" },
    "the token as a password": { password: SECRET },
  })) {
    it(`${name} is no credential`, () => {
      const { auth } = authenticator(TOKEN_MODE);
      assert.deepEqual(auth.refusalOf(ADDRESS, credentials), {
        message: "device identity required",
        detailCode: "DEVICE_IDENTITY_REQUIRED",
      });
    });
  }

  it("nothing lets in while no token is configured", () => {
    const { auth } = authenticator({ mode: "token" });
    assert.equal(auth.refusalOf(ADDRESS, { token: "undefined" })?.detailCode, "AUTH_TOKEN_MISMATCH");
  });
});

describe("in password mode", () => {
  it("the password lets in", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.equal(auth.refusalOf(ADDRESS, { password: SECRET }), undefined);
  });

  it("another password does not", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.deepEqual(auth.refusalOf(ADDRESS, { password: "another" }), {
      message: "unauthorized: gateway password mismatch (provide gateway auth password)",
      detailCode: "AUTH_PASSWORD_MISMATCH",
    });
  });

  it("the password as a token is no credential", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET })?.detailCode, "DEVICE_IDENTITY_REQUIRED");
  });
});

describe("without authentication", () => {
  it("everyone comes in", () => {
    const { auth } = authenticator({ mode: "none" });
    assert.equal(auth.refusalOf(ADDRESS, {}), undefined);
  });
});

describe("an address that guesses", () => {
  /** After `count` wrong tokens from `ADDRESS`. */
  function guessed(count: number) {
    const { auth, clock } = authenticator(TOKEN_MODE);
    for (let i = 0; i < count; i++) auth.refusalOf(ADDRESS, { token: `guess ${i}` });
    return { auth, clock };
  }

  it("may come in after nine guesses", () => {
    assert.equal(guessed(9).auth.refusalOf(ADDRESS, { token: SECRET }), undefined);
  });

  it("is locked out for five minutes after ten, even with the token", () => {
    assert.deepEqual(guessed(10).auth.refusalOf(ADDRESS, { token: SECRET }), {
      message: "unauthorized: too many failed authentication attempts (retry later)",
      detailCode: "AUTH_RATE_LIMITED",
      retryAfterMs: 300_000,
    });
  });

  it("is told the time in whole milliseconds", () => {
    const { auth, clock } = guessed(10);
    clock.nowMs = 1000.25;
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET })?.retryAfterMs, 299_000);
  });

  it("does not lock out another address", () => {
    assert.equal(guessed(10).auth.refusalOf("198.51.100.8", { token: SECRET }), undefined);
  });

  it("comes in when the time is over", () => {
    const { auth, clock } = guessed(10);
    clock.nowMs = 300_000;
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET }), undefined);
  });

  it("starts from zero after it came in", () => {
    const { auth } = guessed(9);
    auth.refusalOf(ADDRESS, { token: SECRET });
    auth.refusalOf(ADDRESS, { token: "guess 10" });
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET }), undefined);
  });

  it("is not counted for connecting without credentials", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 20; i++) auth.refusalOf(ADDRESS, {});
    assert.equal(auth.refusalOf(ADDRESS, { token: SECRET }), undefined);
  });

  it("is locked out on this machine too: other users are here as well", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) auth.refusalOf("127.0.0.1", { token: `guess ${i}` });
    assert.equal(auth.refusalOf("127.0.0.1", { token: SECRET })?.detailCode, "AUTH_RATE_LIMITED");
  });
});

describe("secrets", () => {
  const pairs: [given: string, expected: string, isSame: boolean][] = [
    ["abc", "abc", true],
    ["abc", "abd", false],
    ["abc", "abcd", false],
    ["", "abc", false],
    ["schlüssel", "schlüssel", true],
    ["schlüssel", "schlussel", false],
  ];
  for (const [given, expected, isSame] of pairs) {
    it(`${JSON.stringify(given)} ${isSame ? "is" : "is not"} ${JSON.stringify(expected)}`, () => {
      assert.equal(isSameSecret(given, expected), isSame);
    });
  }
});
