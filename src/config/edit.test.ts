import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { removeFromText, setInText } from "./edit.ts";
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

  test("leaves plain JSON plain JSON: other programs read OpenClaw's config, too", () => {
    for (const text of ['{"a": 1}', '{\n  "gateway": {\n    "port": 1\n  }\n}\n', '{"gateway": {}}']) {
      const edited = setInText(text, ["gateway", "trustedProxies"], '["127.0.0.1"]');
      assert.deepEqual(JSON.parse(edited).gateway.trustedProxies, ["127.0.0.1"], edited);
    }
  });

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

describe("removeFromText", () => {
  const cases: { name: string; text: string; path: string; becomes: string }[] = [
    {
      name: "removes the first member",
      text: "{ a: 1, b: 2, c: 3 }",
      path: "a",
      becomes: "{ b: 2, c: 3 }",
    },
    {
      name: "removes one in the middle",
      text: "{ a: 1, b: 2, c: 3 }",
      path: "b",
      becomes: "{ a: 1, c: 3 }",
    },
    {
      name: "removes the last one, and the comma before it",
      text: "{ a: 1, b: 2, c: 3 }",
      path: "c",
      becomes: "{ a: 1, b: 2 }",
    },
    {
      name: "removes one under a quoted key, with all that is in it",
      text: `{ "a": 1, 'b-c': { d: [1, 2], e: "}" }, f: 3 }`,
      path: "b-c",
      becomes: `{ "a": 1, f: 3 }`,
    },
    {
      name: "removes one deep inside, a line of its own",
      text: "// mine\n{\n  gateway: {\n    port: 1,\n    bogus: 2,\n    bind: 3,\n  },\n}\n",
      path: "gateway.bogus",
      becomes: "// mine\n{\n  gateway: {\n    port: 1,\n    bind: 3,\n  },\n}\n",
    },
    { name: "leaves a text without it", text: "{ a: { b: 1 } }", path: "a.c", becomes: "{ a: { b: 1 } }" },
    {
      name: "leaves a text without what it would be in",
      text: "{ a: { b: 1 } }",
      path: "x.b",
      becomes: "{ a: { b: 1 } }",
    },
    {
      name: "leaves a text where something else stands for what it would be in",
      text: "{ a: [1] }",
      path: "a.0",
      becomes: "{ a: [1] }",
    },
  ];
  for (const { name, text, path, becomes } of cases) {
    test(name, () => assert.equal(removeFromText(text, path.split(".")), becomes));
  }

  for (const [what, text] of [
    ["the only member", "{ a: { b: 1 } }"],
    ["the only member before a trailing comma", "{ a: { b: 1, } }"],
    ["the only member before a comment and a comma", "{ a: { b: 1 /* one */, } }"],
  ] as const) {
    test(`leaves an empty object of ${what}`, () => {
      assert.deepEqual(evaluate(removeFromText(text, ["a", "b"])), { a: {} });
    });
  }

  for (const comma of ["", ","]) {
    test(`stays JSON5 without the last of two${comma === "" ? "" : " before a trailing comma"}`, () => {
      assert.deepEqual(evaluate(removeFromText(`{ a: 1, b: 2${comma} }`, ["b"])), { a: 1 });
    });
  }

  test("removes a key that is there twice: the other one would count then", () => {
    assert.deepEqual(evaluate(removeFromText("{ a: 1, b: 2, a: 3 }", ["a"])), { b: 2 });
  });

  test("keeps the comments of the members around it", () => {
    const text = [
      "{",
      "  // the first",
      "  a: 1, // one",
      "  // the bogus one",
      "  bogus: 2, // two",
      "  // the last",
      "  c: 3, // three",
      "}",
    ];
    const after = removeFromText(text.join("\n"), ["bogus"]);
    for (const comment of ["the first", "one", "the last", "three"]) assert.match(after, new RegExp(comment));
    assert.deepEqual(evaluate(after), { a: 1, c: 3 });
  });

  test("keeps the comment behind the one before the last", () => {
    const after = removeFromText("{\n  a: 1, // one\n  bogus: 2\n}\n", ["bogus"]);
    assert.match(after, /a: 1,? \/\/ one\n/);
    assert.deepEqual(evaluate(after), { a: 1 });
  });

  test("removes one key and nothing else, whatever the config is", () => {
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
    const layout = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(
        config,
        layout,
        fc.boolean(),
        fc.array(key, { minLength: 1, maxLength: 3 }),
        (before, space, hasTrailingCommas, path) => {
          const json = JSON.stringify(before, null, space);
          const text = hasTrailingCommas ? withTrailingCommas(json) : json;
          assert.deepEqual(evaluate(text), before);
          assert.deepEqual(evaluate(removeFromText(text, path)), withoutKey(before, path));
        },
      ),
    );
  });
});

/** A comma before every brace that closes an object with something in it. */
function withTrailingCommas(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\{\s*\}|(\s*\})/g, (token, brace) =>
    brace === undefined ? token : `,${token}`,
  );
}

/** The same removal by an independent implementation. */
function withoutKey(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => rest.length > 0 || name !== key);
  return Object.fromEntries(kept.map(([name, one]) => [name, name === key ? withoutKey(one, rest) : one]));
}
