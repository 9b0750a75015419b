import assert from "node:assert/strict";
import { test } from "node:test";
import { Type } from "typebox";
import { problemOf, schemaProblem } from "./schemas.ts";

for (const [schema, problem] of [
  [{ type: "object", properties: { a: { type: ["string", "null"] } } }, undefined],
  [{ type: "object", additionalProperties: false, $defs: { a: true } }, undefined],
  [{ type: "objct" }, /^params\.type must be one of object, .* not "objct"/],
  [{ anyOf: [{ type: "string" }, { type: "int" }] }, /^params\.anyOf\.1\.type must be one of/],
  [{ properties: { a: 5 } }, /^params\.properties\.a must be a JSON Schema, not 5/],
  [{ properties: { a: { pattern: "(" } } }, /^params\.properties\.a\.pattern is no regular expression: "\("/],
  [{ patternProperties: { "[": {} } }, /^params\.pattern is no regular expression: "\["/],
  [{ items: { not: { type: 1 } } }, /^params\.items\.not\.type must be one of/],
] as const) {
  test(`a schema for parameters: ${JSON.stringify(schema)}`, () => {
    const found = schemaProblem(schema, "params");
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found!, problem);
  });
}

test("JSON Schema and TypeBox alike say what is wrong with a value", async () => {
  const plain = { type: "object", properties: { n: { type: "integer", minimum: 1 } }, required: ["n"] };
  const built = Type.Object({ n: Type.Integer({ minimum: 1 }) });
  for (const schema of [plain, JSON.parse(JSON.stringify(built)) as object]) {
    assert.equal(await problemOf(schema, { n: 1 }), undefined);
    assert.equal(await problemOf(schema, { n: 0 }), "/n: must be >= 1");
    assert.match((await problemOf(schema, {}))!, /^\(root\): must have required properties/);
  }
});
