import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { until } from "../../test/helpers/clawkit.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import { keptTimers } from "./kept-timers.ts";

function timer(change: Partial<Record<keyof NetworkTimer, unknown>> = {}): NetworkTimer {
  const numbers = { intervalMs: 9_000, killedAfterMs: 15_000, learnedAt: 1, triedAt: 1, trialDrops: 0 };
  return { network: "192.0.2.0/24", ...numbers, ...change } as NetworkTimer;
}

describe("what was learned of networks", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-timers-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("is kept as it was last, in a file of the owner's, and nothing else stays", async () => {
    const path = join(folder, "timers.json");
    const { keepTimers } = keptTimers(path);
    for (let trialDrops = 0; trialDrops <= 50; trialDrops++) keepTimers([timer({ trialDrops })]);
    await until(async () => keptTimers(path).learnedTimers[0]?.trialDrops === 50 || undefined);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["timers.json"]);
  });

  test("of a thousand networks at once is two writes, which say so if they fail", async (t) => {
    const logged = t.mock.method(console, "log", () => undefined);
    await writeFile(join(folder, "file"), "");
    const { keepTimers } = keptTimers(join(folder, "file", "timers.json"));
    for (let trialDrops = 0; trialDrops < 1_000; trialDrops++) keepTimers([timer({ trialDrops })]);
    await until(async () => logged.mock.callCount() >= 2 || undefined);
    await writeFile(join(folder, "later"), ""); // what else was queued had its turn
    assert.equal(logged.mock.callCount(), 2);
    assert.match(String(logged.mock.calls[0]!.arguments[0]), /^cannot keep what was learned of networks: /);
  });

  for (const [title, text, count] of [
    ["no file", undefined, 0],
    ["half a file", '[{"network":', 0],
    ["something else", '{"a":1}', 0],
    ["numbers that are none", JSON.stringify([timer(), timer({ triedAt: "soon" }), null, 3]), 1],
    ["a name that a terminal obeys", JSON.stringify([timer({ network: "\u001b[2J/24" })]), 0],
  ] as const) {
    test(`of ${title} is ${count === 0 ? "nothing" : "what is right of it"}`, async () => {
      const path = join(folder, "timers.json");
      if (text !== undefined) await writeFile(path, text);
      assert.equal(keptTimers(path).learnedTimers.length, count);
    });
  }
});
