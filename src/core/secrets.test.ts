import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { REDACTED, withoutSecrets, withoutSecretsIn } from "./secrets.ts";

const SECRET = "hunter2-hunter2-hunter2";

/** A megabyte is cleaned well within this, also on a busy machine; what backtracks takes minutes. */
const MAX_MS = 2_000;

/** A busy machine can stop any single one of them for tens of milliseconds. */
const TRIES = 3;
const MB = 2 ** 20;

describe("secrets are taken out of", () => {
  const cases: readonly [text: string, clean: string][] = [
    // headers
    [`Authorization: Bearer ${SECRET}`, `Authorization: ${REDACTED}`],
    [`proxy-authorization: Basic ${SECRET}==`, `proxy-authorization: ${REDACTED}`],
    [`Cookie: sid=${SECRET}; theme=dark`, `Cookie: ${REDACTED}`],
    [`Set-Cookie: sid=${SECRET}; HttpOnly\nHost: x`, `Set-Cookie: ${REDACTED}\nHost: x`],
    [`{ authorization: 'Bearer ${SECRET}', host: 'x' }`, `{ authorization: '${REDACTED}', host: 'x' }`],
    [`["Cookie","sid=${SECRET}; a=b","Host","x"]`, `["Cookie","${REDACTED}","Host","x"]`],
    [`sent Bearer ${SECRET} to it`, `sent Bearer ${REDACTED} to it`],
    // names and values
    [`token=${SECRET}`, `token=${REDACTED}`],
    [`password: ${SECRET}`, `password: ${REDACTED}`],
    [`passwd = ${SECRET} host = x`, `passwd = ${REDACTED} host = x`],
    [`{"apiKey":"${SECRET}","port":1}`, `{"apiKey":"${REDACTED}","port":1}`],
    [`api_key="two words ${SECRET}"`, `api_key="${REDACTED}"`],
    [`api-key='it\\'s ${SECRET}' x`, `api-key='${REDACTED}' x`],
    [`export OPENCLAW_GATEWAY_TOKEN=${SECRET}`, `export OPENCLAW_GATEWAY_TOKEN=${REDACTED}`],
    [`AWS_SECRET_ACCESS_KEY=${SECRET}`, `AWS_SECRET_ACCESS_KEY=${REDACTED}`],
    [`private_key: ${SECRET}`, `private_key: ${REDACTED}`],
    [`https://x.test/?a=1&signature=${SECRET}&b=2`, `https://x.test/?a=1&signature=${REDACTED}&b=2`],
    [`run --token ${SECRET} --port 1`, `run --token ${REDACTED} --port 1`],
    [`run --gateway-password ${SECRET}`, `run --gateway-password ${REDACTED}`],
    [`run --token=${SECRET}`, `run --token=${REDACTED}`],
    // as lists of arguments and environments stand in compose files and JSON: nothing of these was hidden
    [`["node","--token","${SECRET}"]`, `["node","--token","${REDACTED}"]`],
    [`['node', '--gateway-token', '${SECRET}', '-v']`, `['node', '--gateway-token', '${REDACTED}', '-v']`],
    [`run --token "${SECRET}" --port 1`, `run --token "${REDACTED}" --port 1`],
    [`[node, --token, ${SECRET}]`, `[node, --token, ${REDACTED}]`],
    [`- --token\n- ${SECRET}`, `- --token\n- ${REDACTED}`],
    [`+ - "--token"\n+ - "${SECRET}"`, `+ - "--token"\n+ - "${REDACTED}"`],
    [JSON.stringify({ a: `["--token","${SECRET}"]` }), JSON.stringify({ a: `["--token","${REDACTED}"]` })],
    [`environment: { A: b, OPENAI_KEY: ${SECRET} }`, `environment: { A: b, OPENAI_KEY: ${REDACTED} }`],
    // addresses
    [`wss://me:${SECRET}@host.test/path`, `wss://${REDACTED}@host.test/path`],
    [`postgres://app:${SECRET}@db:5432/x`, `postgres://${REDACTED}@db:5432/x`],
    // shapes
    ["the JWT eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", `the JWT ${REDACTED}!`],
    [`sk-ant-api03-${"a1".repeat(20)} says 401`, `${REDACTED} says 401`],
    [`sk-proj-${"B2_".repeat(12)}`, REDACTED],
    [`ghp_${"a1".repeat(18)}`, REDACTED],
    [`xoxb-1234567890-${"a".repeat(12)}`, REDACTED],
    ["AKIAIOSFODNN7EXAMPLE", REDACTED],
  ];
  for (const [text, clean] of cases) {
    it(text.slice(0, 60), () => assert.equal(withoutSecrets(text), clean));
  }

  it("a text of several lines, in all of them", () => {
    const text = `one\ntoken=${SECRET}\ntwo\nAuthorization: ${SECRET}\nthree`;
    assert.equal(withoutSecrets(text), `one\ntoken=${REDACTED}\ntwo\nAuthorization: ${REDACTED}\nthree`);
  });

  it("a text that was cleaned already, once and not twice", () => {
    for (const [text] of cases) {
      const clean = withoutSecrets(text);
      assert.equal(withoutSecrets(clean), clean);
    }
  });

  it("JSON within JSON, as a program's structured log in ours", () => {
    const text = JSON.stringify({ line: JSON.stringify({ token: SECRET }) });
    assert.doesNotMatch(withoutSecrets(text), /hunter2/);
  });
});

describe("known secrets", () => {
  it("are taken out wherever they stand, whatever they look like", () => {
    assert.equal(
      withoutSecrets("it said .*+?^$ twice: .*+?^$", [".*+?^$"]),
      `it said ${REDACTED} twice: ${REDACTED}`,
    );
  });

  it("of a few letters are not: they would take ordinary words apart", () => {
    assert.equal(withoutSecrets("the gateway started", ["start", "the", ""]), "the gateway started");
  });
});

describe("ordinary words stay:", () => {
  for (const text of [
    "gateway ready: generation 3, pid 4711",
    "the token expired",
    "wrong password for user bob",
    "tokenizer=fast maxTokens: 4096",
    "secretary: Bob",
    "Bearer of bad news",
    "see https://docs.example.com/a@b and mail me@example.com",
    "http://127.0.0.1:18789/",
    "--token, --password, or a file of one: see --help",
    "KEY=1 MONKEY: x",
    "ask-me-anything-about-this-gateway",
    "risk-assessment-of-the-whole-year",
    "2026-11-22T10:00:00.000Z out echo server ready",
    "Error: listen EADDRINUSE: address already in use 127.0.0.1:18789",
    "    at Server.listen (node:net:2105:7)",
    "",
  ]) {
    it(JSON.stringify(text), () => assert.equal(withoutSecrets(text), text));
  }

  it("basic and bearer, when they are no scheme of a header", () => {
    const text = "basic authentication is off; bearer tokens are not asked for";
    assert.equal(withoutSecrets(text), text);
  });
});

describe("JSON stays JSON", () => {
  const stays = (value: unknown) => JSON.parse(withoutSecrets(JSON.stringify(value)));

  it("with secrets as strings, at any depth", () => {
    const value = { a: [{ token: SECRET, n: 1 }], headers: { cookie: "a=b", authorization: "x" }, ok: true };
    assert.deepEqual(stays(value), {
      a: [{ token: REDACTED, n: 1 }],
      headers: { cookie: REDACTED, authorization: REDACTED },
      ok: true,
    });
  });

  it("with a secret that has quotes, backslashes and line ends in it", () => {
    assert.deepEqual(stays({ password: 'a"b\\c\nd\\"', n: 1 }), { password: REDACTED, n: 1 });
  });

  it("with a header among the words of a line", () => {
    assert.deepEqual(stays({ line: `Authorization: Bearer ${SECRET}`, n: 1 }), {
      line: `Authorization: ${REDACTED}`,
      n: 1,
    });
  });

  it("with any string as the secret", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (token) => {
        assert.deepEqual(stays({ token, n: 1 }), { token: REDACTED, n: 1 });
      }),
    );
  });

  for (const [name, value] of [
    ["null", { token: null, n: 1 }],
    ["a number", { password: 12345678, n: 1 }],
    ["a switch", { secret: true }],
    ["a list", { token: ["a", "b"] }],
    ["an object", { credential: { id: 1 } }],
  ] as const) {
    it(`with ${name} where a secret could stand`, () => {
      assert.doesNotThrow(() => stays(value));
    });
  }
});

// A crash.json that is no JSON would be passed over by `crash list`: the crash would not be there.
describe("a value is cleaned string by string", () => {
  for (const line of ['token = "abcdef"', 'cookie: sid="abcdef"; a', 'Error: {"password":"abcdef"}']) {
    it(`with a quoted secret among the words of a line: ${line}`, () => {
      const clean = JSON.stringify(withoutSecretsIn({ evidence: [`it printed: ${line}`], n: 1 }));
      assert.doesNotMatch(clean, /abcdef/);
      assert.equal(JSON.parse(clean).n, 1);
    });
  }

  it("names of secrets count, whatever stands in them", () => {
    assert.deepEqual(withoutSecretsIn({ token: "x", nested: [{ password: "y" }] }), {
      token: REDACTED,
      nested: [{ password: REDACTED }],
    });
  });
});

// What comes in is what any program prints; a pattern that backtracks would stop the supervisor.
describe("a line of 1 MB is cleaned in no time, made of", () => {
  const pieces = [
    ["letters", "a"],
    ["blanks", " "],
    ["quotes", '"'],
    ["backslashes", "\\"],
    ["names", "token "],
    ["names and blanks", `token${" ".repeat(50)}`],
    ["open strings", 'token="'],
    ["open strings and backslashes", 'token="\\'],
    ["open strings of two kinds", "token='\"password=\"'"],
    ["schemes", "a://"],
    ["schemes and names", "a://b:c"],
    ["Bearer", "Bearer "],
    ["Bearer and blanks", `Bearer${" ".repeat(50)}`],
    ["headers", "cookie:"],
    ["options", "--token "],
    ["options and blanks", `--token${" ".repeat(50)}`],
    ["quoted options", '"--token","'],
    ["items of lists", "--token - - -"],
    ["variables", "A_KEY_"],
    ["base64", "QUJDRA"],
    ["tokens of Slack", "xoxb-"],
    ["tokens of OpenAI", "sk-"],
    ["two parts of a JWT", "eyJabcdefgh."],
  ] as const;
  for (const [name, piece] of pieces) {
    it(name, () => assert.ok(msToClean(line(piece, MB)) < MAX_MS));
  }

  // 16 Ki characters is what is kept of a line: the worst that the supervisor's own log meets.
  for (const [name, piece] of [
    ["dashes", "-"],
    ["words with two dashes between them", "a--"],
    ["beginnings of a JWT", "eyJ-"],
  ] as const) {
    it(`${name} (4 times as long takes 4 times as long)`, () => {
      const lengths = [8 * 1024, 32 * 1024];
      const [short, long] = lengths.map((length) => msToClean(line(piece, length))) as [number, number];
      assert.ok(long < Math.max(20, 8 * short), `${lengths} characters took ${short} and ${long} ms`);
    });
  }
});

function line(piece: string, length: number): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

/** The quickest of some tries: only the pattern's own work is in all of them, whatever else the machine does. */
function msToClean(text: string): number {
  const tries = Array.from({ length: TRIES }, () => {
    const before = process.cpuUsage().user; // µs; the wall's time is the other tests', too
    withoutSecrets(text);
    return (process.cpuUsage().user - before) / 1_000;
  });
  return Math.min(...tries);
}
