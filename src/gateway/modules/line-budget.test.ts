import assert from "node:assert/strict";
import { test } from "node:test";
import { LineBudget } from "./line-budget.ts";

test("200 lines at once, 20 a second from then on; what was dropped is told with the next", () => {
  let now = 0;
  const budget = new LineBudget(() => now);
  const take = (lines: number) => Array.from({ length: lines }, () => budget.take()).filter(Boolean).length;
  assert.equal(take(1_000), 200);
  now += 500;
  assert.deepEqual(budget.take(), { dropped: 800 });
  assert.equal(take(1_000), 9);
  now += 3_600_000;
  assert.equal(take(1_000), 200);
});
