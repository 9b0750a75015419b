import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { setInText } from "./edit.ts";
import { parseJson5 } from "./parse.ts";

function evaluate(text: string): unknown {
  return parseJson5({ path: "test", text });
}

/** The same value, changed by an independent implementation. */
function withValue(value: unknown, path: readonly string[], inner: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return inner;
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  return { ...object, [key]: withValue((object as Record<string, unknown>)[key], rest, inner) };
}

describe("setInText", () => {
  const cases: { name: string; text: string; path: string; literal: string; becomes: string }[] = [
    {
      name: "replaces a value and nothing else",
      text: "// mine\n{\n  gateway: { port: 1, }, // here\n}\n",
      path: "gateway.port",
      literal: "2",
      becomes: "// mine\n{\n  gateway: { port: 2, }, // here\n}\n",
    },
    {
      name: "replaces a value under a quoted key",
      text: `{ "gateway": { 'port': 1 } }`,
      path: "gateway.port",
      literal: "2",
      becomes: `{ "gateway": { 'port': 2 } }`,
    },
    {
      name: "adds a key behind the last one, on a line of its own",
      text: "{\n  gateway: {\n    port: 1,\n  },\n}\n",
      path: "gateway.bind",
      literal: '"lan"',
      becomes: '{\n  gateway: {\n    port: 1,\n    bind: "lan",\n  },\n}\n',
    },
    {
      name: "adds the comma that was missing",
      text: "{\n  gateway: {\n    port: 1\n  }\n}\n",
      path: "gateway.bind",
      literal: '"lan"',
      becomes: '{\n  gateway: {\n    port: 1,\n    bind: "lan",\n  }\n}\n',
    },
    {
      name: "keeps the comment behind the last key on its line",
      text: "{\n  gateway: {\n    port: 1, // the port\n  },\n}\n",
      path: "gateway.bind",
      literal: '"lan"',
      becomes: '{\n  gateway: {\n    port: 1, // the port\n    bind: "lan",\n  },\n}\n',
    },
    {
      name: "keeps it there also if no comma is before it",
      text: "{\n  gateway: {\n    port: 1 // the port\n  }\n}\n",
      path: "gateway.bind",
      literal: '"lan"',
      becomes: '{\n  gateway: {\n    port: 1, // the port\n    bind: "lan",\n  }\n}\n',
    },
    {
      name: "adds the objects that are missing on the way",
      text: "{\n}\n",
      path: "gateway.keepalive.enabled",
      literal: "false",
      becomes: "{\n  gateway: { keepalive: { enabled: false } },\n}\n",
    },
    {
      name: "makes a config out of nothing",
      text: "",
      path: "logs.keep",
      literal: "2",
      becomes: "{\n  logs: { keep: 2 },\n}\n",
    },
  ];
  for (const { name, text, path, literal, becomes } of cases) {
    test(name, () => {
      assert.equal(setInText(text, path.split("."), literal), becomes);
    });
  }

  // Everything commented out is how many people keep their old settings.
  test("keeps the comments of an object that has nothing else in it", () => {
    const text = "// mine\n{\n  // gateway: { port: 1 },\n}\n";
    const after = setInText(text, ["logs", "keep"], "2");
    assert.match(after, /\/\/ gateway: \{ port: 1 \},/);
    assert.deepEqual(evaluate(after), { logs: { keep: 2 } });
  });

  for (const [name, comma] of [
    ["a comment before the last comma", "1 /* one */,"],
    ["a line comment before the last comma", "1 // one\n    ,"],
  ]) {
    test(`stays JSON5 with ${name}`, () => {
      const text = `{\n  gateway: {\n    port: ${comma}\n  },\n}\n`;
      assert.deepEqual(evaluate(setInText(text, ["gateway", "bind"], "2")), {
        gateway: { port: 1, bind: 2 },
      });
    });
  }

  test("quotes a key that is no identifier", () => {
    assert.deepEqual(evaluate(setInText("{}", ["keep-alive"], "1")), { "keep-alive": 1 });
    assert.deepEqual(evaluate(setInText("{ a: {} }", ["a", "1x", "y z"], "1")), {
      a: { "1x": { "y z": 1 } },
    });
  });

  test("a key that is there twice: the one that counts is changed", () => {
    assert.deepEqual(evaluate(setInText("{ a: 1, a: 2 }", ["a"], "3")), { a: 3 });
  });

  test("changes one value, whatever the config is", () => {
    const key = fc.constantFrom("a", "b", "c");
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.string(),
        fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).any;
    const config = fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true });
    const layout = fc.constantFrom(undefined, 1, 2, "\t");
    fc.assert(
      fc.property(
        config,
        layout,
        fc.array(key, { minLength: 1, maxLength: 4 }),
        value,
        (before, space, path, inner) => {
          const after = setInText(JSON.stringify(before, null, space), path, JSON.stringify(inner));
          assert.deepEqual(evaluate(after), withValue(before, path, inner));
        },
      ),
    );
  });
});
