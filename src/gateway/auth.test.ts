import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Authenticator,
  type AuthRefusal,
  type AuthSettings,
  type Credentials,
  isSameSecret,
} from "./auth.ts";

const SECRET = "a-shared-secret-of-some-length";
const ADDRESS = "198.51.100.7";
const TOKEN_MODE: AuthSettings = { mode: "token", secret: SECRET };
const PASSWORD_MODE: AuthSettings = { mode: "password", secret: SECRET };

/** An authenticator whose clock a test moves. */
function authenticator(settings: AuthSettings) {
  const clock = { nowMs: 0, now: () => clock.nowMs, wall: () => 0 };
  return { auth: new Authenticator(settings, clock), clock };
}

/** Undefined if it comes in. */
function refusalOf(auth: Authenticator, address: string, credentials: Credentials): AuthRefusal | undefined {
  const verdict = auth.admit(address, credentials);
  return "message" in verdict ? verdict : undefined;
}

describe("in token mode", () => {
  it("the token lets in", () => {
    const { auth } = authenticator(TOKEN_MODE);
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET }), undefined);
  });

  it("another token does not", () => {
    const { auth } = authenticator(TOKEN_MODE);
    assert.deepEqual(refusalOf(auth, ADDRESS, { token: "another" }), {
      message: "unauthorized: gateway token mismatch (provide gateway auth token)",
      detailCode: "AUTH_TOKEN_MISMATCH",
      authReason: "token_mismatch",
    });
  });

  for (const [name, credentials] of Object.entries({
    nothing: {},
    "an empty token": { token: "" },
    "the token as a password": { password: SECRET },
  })) {
    it(`${name} is no credential`, () => {
      const { auth } = authenticator(TOKEN_MODE);
      assert.deepEqual(refusalOf(auth, ADDRESS, credentials), {
        message: "device identity required",
        detailCode: "DEVICE_IDENTITY_REQUIRED",
        authReason: "device_required",
      });
    });
  }

  it("nothing lets in while no token is configured", () => {
    const { auth } = authenticator({ mode: "token" });
    assert.equal(refusalOf(auth, ADDRESS, { token: "undefined" })?.detailCode, "AUTH_TOKEN_MISMATCH");
  });
});

describe("in password mode", () => {
  it("the password lets in", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.equal(refusalOf(auth, ADDRESS, { password: SECRET }), undefined);
  });

  it("another password does not", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.deepEqual(refusalOf(auth, ADDRESS, { password: "another" }), {
      message: "unauthorized: gateway password mismatch (provide gateway auth password)",
      detailCode: "AUTH_PASSWORD_MISMATCH",
      authReason: "password_mismatch",
    });
  });

  it("the password as a token is no credential", () => {
    const { auth } = authenticator(PASSWORD_MODE);
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET })?.detailCode, "DEVICE_IDENTITY_REQUIRED");
  });
});

describe("a client with an identity", () => {
  const OWN = "the-token-of-this-device";
  const DEVICE = { id: "d".repeat(64), isToken: (token: string) => token === OWN };
  const codeOf = (verdict: ReturnType<Authenticator["admit"]>) =>
    "detailCode" in verdict ? verdict.detailCode : verdict.by;
  const admitted = (credentials: Credentials, settings = TOKEN_MODE) =>
    authenticator(settings).auth.admit(ADDRESS, credentials, DEVICE);

  it("comes in with its token, wherever it puts it", () => {
    for (const credentials of [{ token: OWN }, { deviceToken: OWN }, { token: "another", deviceToken: OWN }])
      assert.deepEqual(admitted(credentials), { by: "device-token", token: OWN });
  });

  it("comes in with the gateway's", () => {
    assert.deepEqual(admitted({ token: SECRET, deviceToken: OWN }), { by: "secret" });
  });

  const refused: [credentials: Credentials, settings: AuthSettings, code: string][] = [
    [{}, TOKEN_MODE, "AUTH_TOKEN_MISSING"],
    [{}, PASSWORD_MODE, "AUTH_PASSWORD_MISSING"],
    [{ token: "another" }, TOKEN_MODE, "AUTH_TOKEN_MISMATCH"],
    [{ token: "old", deviceToken: "old" }, TOKEN_MODE, "AUTH_DEVICE_TOKEN_MISMATCH"],
    [{ deviceToken: "old" }, PASSWORD_MODE, "AUTH_DEVICE_TOKEN_MISMATCH"],
  ];
  for (const [credentials, settings, code] of refused) {
    it(`with ${JSON.stringify(credentials)} in ${settings.mode} mode is told ${code}`, () => {
      const verdict = admitted(credentials, settings);
      assert.equal("detailCode" in verdict && verdict.detailCode, code);
    });
  }

  it("that guesses its token is locked out like others", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) auth.admit(ADDRESS, { deviceToken: `guess ${i}` }, DEVICE);
    assert.equal(codeOf(auth.admit(ADDRESS, { deviceToken: OWN }, DEVICE)), "AUTH_RATE_LIMITED");
  });

  it("comes in with its token while its address is locked out from the secret", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) auth.admit(ADDRESS, { token: `guess ${i}` });
    assert.equal(codeOf(auth.admit(ADDRESS, { deviceToken: OWN }, DEVICE)), "device-token");
    assert.equal(codeOf(auth.admit(ADDRESS, { token: OWN }, DEVICE)), "device-token");
    assert.equal(codeOf(auth.admit(ADDRESS, { token: SECRET }, DEVICE)), "AUTH_RATE_LIMITED");
  });

  // nine guesses, its own token, nine guesses: a paired device could once look for the secret for ever
  it("has no more guesses at the secret for coming in between", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) {
      auth.admit(ADDRESS, { token: `guess ${i}` });
      auth.admit(ADDRESS, { deviceToken: OWN }, DEVICE);
    }
    assert.equal(codeOf(auth.admit(ADDRESS, { token: SECRET })), "AUTH_RATE_LIMITED");
  });

  it("has ten guesses beside its token, from wherever it comes; it still comes in, and others may guess", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) auth.admit(`198.51.100.${i}`, { token: `g${i}`, deviceToken: OWN }, DEVICE);
    assert.equal(codeOf(auth.admit(ADDRESS, { token: SECRET, deviceToken: OWN }, DEVICE)), "device-token");
    assert.equal(codeOf(auth.admit(ADDRESS, { token: SECRET }, { ...DEVICE, id: "e" })), "secret");
  });
});

describe("without authentication", () => {
  it("everyone comes in", () => {
    const { auth } = authenticator({ mode: "none" });
    assert.equal(refusalOf(auth, ADDRESS, {}), undefined);
  });
});

describe("an address that guesses", () => {
  /** After `count` wrong tokens from `ADDRESS`. */
  function guessed(count: number) {
    const { auth, clock } = authenticator(TOKEN_MODE);
    for (let i = 0; i < count; i++) refusalOf(auth, ADDRESS, { token: `guess ${i}` });
    return { auth, clock };
  }

  it("may come in after nine guesses", () => {
    assert.equal(refusalOf(guessed(9).auth, ADDRESS, { token: SECRET }), undefined);
  });

  it("is locked out for five minutes after ten, even with the token", () => {
    assert.deepEqual(refusalOf(guessed(10).auth, ADDRESS, { token: SECRET }), {
      message: "unauthorized: too many failed authentication attempts (retry later)",
      detailCode: "AUTH_RATE_LIMITED",
      authReason: "rate_limited",
      retryAfterMs: 300_000,
    });
  });

  it("is told the time in whole milliseconds", () => {
    const { auth, clock } = guessed(10);
    clock.nowMs = 1000.25;
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET })?.retryAfterMs, 299_000);
  });

  it("does not lock out another address", () => {
    assert.equal(refusalOf(guessed(10).auth, "198.51.100.8", { token: SECRET }), undefined);
  });

  it("locks out what else its host may call itself", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) refusalOf(auth, `2001:db8::${i}`, { token: `guess ${i}` });
    assert.equal(refusalOf(auth, "2001:db8::abcd", { token: SECRET })?.authReason, "rate_limited");
    assert.equal(refusalOf(auth, "2001:db8:0:1::1", { token: SECRET }), undefined);
  });

  it("comes in when the time is over", () => {
    const { auth, clock } = guessed(10);
    clock.nowMs = 300_000;
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET }), undefined);
  });

  it("starts from zero after it came in", () => {
    const { auth } = guessed(9);
    refusalOf(auth, ADDRESS, { token: SECRET });
    refusalOf(auth, ADDRESS, { token: "guess 10" });
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET }), undefined);
  });

  it("is not counted for connecting without credentials", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 20; i++) refusalOf(auth, ADDRESS, {});
    assert.equal(refusalOf(auth, ADDRESS, { token: SECRET }), undefined);
  });

  it("is locked out on this machine too: other users are here as well", () => {
    const { auth } = authenticator(TOKEN_MODE);
    for (let i = 0; i < 10; i++) refusalOf(auth, "127.0.0.1", { token: `guess ${i}` });
    assert.equal(refusalOf(auth, "127.0.0.1", { token: SECRET })?.detailCode, "AUTH_RATE_LIMITED");
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
