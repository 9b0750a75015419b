import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REDACTED, redact } from "./redact.ts";
import { resolveConfig } from "./resolve.ts";

describe("redact", () => {
  test("replaces secrets at any depth, in lists too, and keeps the rest", () => {
    const value = {
      auth: { mode: "token", token: "a", password: "b" },
      list: [{ secret: "c", name: "d" }, "token"],
      Token: "e",
      keep: 4,
      none: null,
    };
    assert.deepEqual(redact(value), {
      auth: { mode: "token", token: REDACTED, password: REDACTED },
      list: [{ secret: REDACTED, name: "d" }, "token"],
      Token: REDACTED,
      keep: 4,
      none: null,
    });
  });

  test("does not touch what it was given", () => {
    const value = { auth: { token: "a" } };
    redact(value);
    assert.deepEqual(value, { auth: { token: "a" } });
  });

  test("does not claim a secret where there is none", () => {
    assert.deepEqual(redact({ token: undefined }), { token: undefined });
  });

  // A config that was printed, edited and put back must not make a word from our source the token.
  test("a redacted token is no valid one, so that writing it back is refused", () => {
    const text = JSON.stringify({ gateway: { auth: { token: REDACTED } } });
    assert.throws(() => resolveConfig({ path: "config.json5", text }, {}), /gateway\.auth\.token/);
  });

  test("a URL's password and token are secrets as well", () => {
    for (const url of ["wss://me:sesame@gateway.example/", "wss://gateway.example/?token=sesame"]) {
      assert.doesNotMatch(JSON.stringify(redact({ upstream: { type: "url", url } })), /sesame/);
    }
  });
});
