import assert from "node:assert/strict";
import { test } from "node:test";
import { isInRange, nodeVersion } from "./node-version.ts";

const OPENCLAW = ">=24.16.0 <25 || >=26.1.0"; // 2026.9.6

for (const [version, range, isIn] of [
  ["24.16.0", OPENCLAW, true],
  ["24.15.9", OPENCLAW, false],
  ["25.0.0", OPENCLAW, false],
  ["26.0.9", OPENCLAW, false],
  ["26.1.0", OPENCLAW, true],
  ["22.12.0", ">=22.12.0", true],
  ["20.20.2", ">=22", false],
  ["22.0.0", "^22.0.0", undefined],
  ["22.0.0", "", undefined],
] as const) {
  test(`${version} in ${JSON.stringify(range)}: ${isIn ?? "cannot tell"}`, () => {
    assert.equal(isInRange(version, range), isIn);
  });
}

test("nodeVersion asks a Node, and runs nothing that is none", async () => {
  assert.equal(await nodeVersion(process.execPath, process.getuid?.()), process.versions.node);
  assert.equal(await nodeVersion("/no/such/node", process.getuid?.()), undefined);
});
