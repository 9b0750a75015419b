import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ClawkitError } from "../core/errors.ts";
import { defaultConfig, parseConfig } from "./parse.ts";

const PATH = "/home/me/.clawkit/config.json5";

function parse(text: string) {
  return parseConfig({ path: PATH, text });
}

/** What a person is told about this text, without the path; undefined if it is valid. */
function problemsOf(text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ClawkitError, String(error));
    return error.message.replaceAll(`${PATH}:`, "");
  }
}

describe("parseConfig", () => {
  // the parser's own recursion over comments ended with "Maximum call stack size exceeded"
  test("of 20,000 lines of comments is read, and names the right line", () => {
    const comments = `// said "before" /* all\n/* and\nover */\n`.repeat(10_000);
    assert.equal(parse(`${comments}{ gateway: { port: 18790 } }`).gateway.port, 18790);
    const problem = problemsOf(`${comments}{ gateway: { /* a\n */ port: "//x" } }`);
    assert.match(problem ?? "", /^30002: gateway.port must be /);
  });

  test("says so of what is nested too deeply", () => {
    assert.match(problemsOf("[".repeat(50_000)) ?? "", /nested too deeply/);
  });

  test("of nothing has every default", () => {
    const config = parse("");
    assert.deepEqual(config, defaultConfig());
    assert.equal(config.gateway.port, 18789);
    assert.equal(config.gateway.bind, "loopback");
    assert.deepEqual(config.gateway.upstream, { type: "builtin" });
    assert.deepEqual(config.gateway.keepalive, {
      enabled: true,
      adaptive: true,
      intervalSec: 20,
      timeoutSec: 10,
    });
    assert.equal(config.gateway.hold.maxSec, 12);
    assert.equal(config.supervisor.hangRestartSec, 30);
    assert.equal(config.supervisor.startTimeoutSec, 60);
  });

  test("takes what is there and fills in the rest, section by section", () => {
    const config = parse("{ gateway: { port: 1234, keepalive: { enabled: false } } }");
    assert.equal(config.gateway.port, 1234);
    assert.deepEqual(config.gateway.keepalive, {
      enabled: false,
      adaptive: true,
      intervalSec: 20,
      timeoutSec: 10,
    });
    assert.equal(config.logs.keep, 4);
  });

  test("reads JSON5: comments, bare keys, single quotes, trailing commas, a byte order mark", () => {
    const text = "\ufeff// mine\n{ gateway: { bind: 'lan', /* why */ port: +0x10, }, }\n";
    assert.deepEqual([parse(text).gateway.bind, parse(text).gateway.port], ["lan", 16]);
  });

  test("does not share defaults between configs", () => {
    (parse("").gateway.trustedProxies as string[]).push("10.0.0.1");
    assert.deepEqual(parse("").gateway.trustedProxies, []);
  });
});

describe("what is wrong is said with line, key and what was expected:", () => {
  const cases: { name: string; text: string; told: string }[] = [
    {
      name: "an unknown key near a known one",
      text: "{\n  gateway: {\n    prot: 1,\n  },\n}",
      told: "3: unknown key gateway.prot: did you mean port?",
    },
    {
      name: "an unknown key near nothing",
      text: "{\n  logs: { destination: 'syslog' } }",
      told: "2: unknown key logs.destination (valid: maxMb, keep)",
    },
    {
      name: "a number out of range",
      text: "{ gateway: { port: 70000 } }",
      told: "1: gateway.port must be a whole number from 1 to 65535, not 70000",
    },
    {
      name: "a fraction",
      text: "{ gateway: { port: 1.5 } }",
      told: "1: gateway.port must be a whole number from 1 to 65535, not 1.5",
    },
    {
      name: "a number written as text",
      text: '{ supervisor: { drainSec: "2" } }',
      told: '1: supervisor.drainSec must be a number from 0 to 600, not "2"',
    },
    {
      name: "a word of a list of words",
      text: "{ gateway: { auth: { mode: 'pasword' } } }",
      told: '1: gateway.auth.mode must be one of "token", "password", "none", not "pasword"',
    },
    {
      name: "a section that is no object",
      text: "{ gateway: { hold: 12 } }",
      told: "1: gateway.hold must be an object, not 12",
    },
    {
      name: "an upstream of an unknown type",
      text: "{ gateway: { upstream: { type: 'comand' } } }",
      told: '1: gateway.upstream.type must be one of builtin, command, openclaw, url, not "comand": did you mean command?',
    },
    {
      name: "an upstream that lacks something",
      text: "{ gateway: { upstream: { type: 'url' } } }",
      told: "1: gateway.upstream.url is missing: it must be a string matching ^wss?://",
    },
    {
      name: "a key that belongs to another type of upstream",
      text: "{ gateway: { upstream: { type: 'builtin',\n command: ['node'] } } }",
      told: "2: unknown key gateway.upstream.command (valid: type)",
    },
    {
      name: "a null",
      text: "{ gateway: { tls: null } }",
      told: "1: gateway.tls must be an object, not null",
    },
    {
      name: "a list of the wrong things",
      text: "{ gateway: { trustedProxies: [1] } }",
      told: "1: gateway.trustedProxies must be a list of strings, not [1]",
    },
    {
      name: "Infinity",
      text: "{ supervisor: { drainSec: Infinity } }",
      told: "1: supervisor.drainSec must be a number from 0 to 600, not Infinity",
    },
    { name: "a list instead of a config", text: "[]", told: "1: the config must be an object, not []" },
  ];
  for (const { name, text, told } of cases) {
    test(name, () => {
      assert.equal(problemsOf(text), told);
    });
  }

  test("an empty command: that it is empty is what is wrong", () => {
    const told = problemsOf("{ gateway: { upstream: { type: 'command', command: [] } } }");
    assert.match(told ?? "", /gateway\.upstream\.command must be .*(at least|not empty|non-empty)/);
  });

  test("several problems, the first in the file first", () => {
    const text = "{\n  logs: { keep: 0 },\n  gateway: {\n    prot: 1,\n    bind: 7,\n  },\n}";
    assert.deepEqual(
      problemsOf(text)
        ?.split("\n")
        .map((line) => line.split(" must")[0]),
      ["2: logs.keep", "4: unknown key gateway.prot: did you mean port?", "5: gateway.bind"],
    );
  });

  test("text that is no JSON5, with the line", () => {
    const told = problemsOf("{\n  gateway: {\n    port 1,\n  },\n}");
    assert.match(told ?? "", /^Cannot read the config as 3 is not JSON5: /);
  });

  for (const text of [
    "{ gateway: { auth: { token: ['sesame-open-sesame'] } } }",
    "{ gateway: { auth: { password: { is: 'sesame-open-sesame' } } } }",
    "{ gateway: { auth: 'sesame-open-sesame' } }",
    "{ gateway: 'sesame-open-sesame' }",
    "{ gateway: { auth: { tokn: 'sesame-open-sesame' } } }",
    "{ gateway: { auth: { token: 'sesame-open-sesame } } }",
  ]) {
    test(`never what may be a secret: ${text}`, () => {
      const told = problemsOf(text);
      assert.notEqual(told, undefined);
      assert.doesNotMatch(told!, /sesame/);
    });
  }

  test("whatever the value of any key is, never a crash", () => {
    const key = fc.constantFrom(
      "gateway",
      "port",
      "auth",
      "upstream",
      "type",
      "command",
      "logs",
      "__proto__",
      "x",
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(key, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (config) => {
        problemsOf(JSON.stringify(config, null, 1));
      }),
    );
  });
});
