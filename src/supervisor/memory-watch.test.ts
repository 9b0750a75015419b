import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryWatch } from "./memory-watch.ts";

test("a restart that failed is asked for again a minute later, one that did not is not", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const answers = [false, true];
  let times = 0;
  const watch = new MemoryWatch({ cgroupNow: async () => undefined }, async () => {
    times++;
    return answers.shift()!;
  });
  t.after(() => watch.stop());
  watch.heap(95, 100);
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 2_000) {
      t.mock.timers.tick(2_000);
      await new Promise(setImmediate);
    }
  };
  await pass(6_000 + 58_000);
  assert.equal(times, 1);
  await pass(8_000);
  assert.equal(times, 2);
  await pass(120_000);
  assert.equal(times, 2);
});
