import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClawkitError, errorCodes, messageOf, systemErrorCode } from "./errors.ts";

describe("ClawkitError", () => {
  const error = new ClawkitError("PORT_IN_USE", "Cannot start the gateway as port 18789 is in use", {
    cause: new Error("listen EADDRINUSE"),
  });

  it("is an Error with its own name and code", () => {
    assert.ok(error instanceof Error);
    assert.equal(error.name, "ClawkitError");
    assert.equal(error.code, "PORT_IN_USE");
  });

  it("knows the exit code of the command that ends with it", () => assert.equal(error.exitCode, 4));

  it("keeps its cause", () => assert.equal((error.cause as Error).message, "listen EADDRINUSE"));
});

describe("the registry of error codes", () => {
  it("has exit codes below those a shell gives to signals and to what it cannot run", () => {
    const outside = Object.values(errorCodes).filter(({ exit }) => exit < 1 || exit > 125);
    assert.deepEqual(outside, []);
  });

  for (const code of ["CONFIG_UNPARSABLE", "CONFIG_INVALID", "CONFIG_UNSAFE", "GATEWAY_REFUSED"] as const) {
    it(`ends with 78 for ${code}: starting again cannot change it`, () => {
      assert.equal(errorCodes[code].exit, 78);
    });
  }
});

describe("messageOf", () => {
  const inner = new Error("connect ECONNREFUSED 127.0.0.1:18789");
  const cases: [string, unknown, string][] = [
    ["an error", new Error("no such file"), "no such file"],
    ["an error with a cause", new Error("fetch failed", { cause: inner }), `fetch failed (${inner.message})`],
    ["causes of causes", new Error("a", { cause: new Error("b", { cause: new Error("c") }) }), "a (b (c))"],
    ["a cause that is not an error", new Error("stopped", { cause: "SIGTERM" }), "stopped (SIGTERM)"],
    ["a string", "just words", "just words"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 78, "78"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    [
      "a subclass",
      new ClawkitError("USAGE", "Cannot read --port: abc is not a number"),
      "Cannot read --port: abc is not a number",
    ],
  ];
  for (const [name, thrown, expected] of cases) {
    it(name, () => assert.equal(messageOf(thrown), expected));
  }

  // `net.connect` to a name with two addresses (localhost: ::1 and 127.0.0.1) fails with an AggregateError whose
  // own message is empty: both refusals stand in `errors`.
  it("names what is in an AggregateError without a message of its own", () => {
    const refused = new AggregateError([
      new Error("connect ECONNREFUSED ::1:18789"),
      new Error("connect ECONNREFUSED 127.0.0.1:18789"),
    ]);
    assert.match(messageOf(refused), /ECONNREFUSED/);
  });

  it("stays on one line", () => {
    assert.doesNotMatch(messageOf(new Error("JSON5: invalid character\n  at 3:14")), /\n/);
  });

  it("survives an object without a prototype", () => {
    assert.doesNotThrow(() => messageOf(Object.create(null)));
  });

  it("survives an error that is its own cause", () => {
    const circular = new Error("round and round");
    circular.cause = circular;
    assert.match(messageOf(circular), /^round and round/);
  });
});

describe("systemErrorCode", () => {
  const withCode = (code: unknown) => Object.assign(new Error("x"), { code });
  const cases: [string, unknown, string | undefined][] = [
    ["a system error", withCode("EADDRINUSE"), "EADDRINUSE"],
    ["a plain error", new Error("x"), undefined],
    ["a numeric code", withCode(404), undefined],
    ["an object that is no error", { code: "ENOENT" }, undefined],
    ["null", null, undefined],
  ];
  for (const [name, thrown, expected] of cases) {
    it(name, () => assert.equal(systemErrorCode(thrown), expected));
  }
});
