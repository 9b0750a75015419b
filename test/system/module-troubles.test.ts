import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../helpers/clawkit.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { reasonOf, TROUBLES, untilBack, withTroubles } from "../helpers/gateway-modules.ts";

checkFramesOfEachTest();

describe("a module in trouble costs nobody else anything", () => {
  for (const [method, params, words] of [
    ["trouble.hang", {}, /ended: it hung in trouble\.hang/],
    ["trouble.pattern", { text: `${"a".repeat(40)}!` }, /ended: it hung in trouble\.pattern/],
    // what it prints and nobody reads yet is in its memory: that may be full before it counts as hung
    ["trouble.printForever", {}, /ended: it( hung in trouble\.printForever|s 256 MB of memory were full)/],
  ] as const) {
    test(`${method}: others are answered at once, it is told in time, and the module comes back`, async (t) => {
      const { connected, logged } = await withTroubles(t);
      const [client, other] = [await connected(), await connected()];
      const patient = client.request("trouble.patient");
      const hung = client.request(method, params);
      let isOver = false;
      void hung.then(() => (isOver = true));
      let slowestMs = 0;
      while (!isOver) {
        const askedAt = performance.now();
        assert.equal((await other.request("health")).ok, true);
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
      }
      const { error } = await hung;
      assert.equal(reasonOf(error), "module-timeout");
      assert.equal(reasonOf((await patient).error), "module-failed");
      assert.equal(reasonOf((await client.request("trouble.echo")).error), "module-unavailable");
      await untilBack(client);
      assert.ok(
        logged.some((line) => words.test(line)),
        logged.join("\n"),
      );
      // it hangs for a second
      assert.ok(slowestMs < 900, `another client waited ${slowestMs} ms`);
      t.diagnostic(`the slowest answer to another client while it hung: ${slowestMs.toFixed(1)} ms`);
    });
  }

  test("a method that waits for ever is given up alone; its signal is aborted", async (t) => {
    const { connected, logged } = await withTroubles(t);
    const client = await connected();
    const answers = await Promise.all(
      ["trouble.slow", "trouble.until"].map((method) => client.request(method)),
    );
    assert.deepEqual(
      answers.map(({ error }) => reasonOf(error)),
      ["module-timeout", "module-timeout"],
    );
    await until(() => logged.includes("module troubles.ts: was told that its time is over") || undefined);
    assert.equal((await client.request("trouble.echo")).ok, true);
  });

  for (const [method, words] of [
    ["trouble.heap", /ended: its 256 MB of memory were full; 1 calls/],
    ["trouble.exit", /ended: exited with code 3/],
    ["trouble.abort", /ended: killed by SIGABRT/],
    ["trouble.flood", /ended: it sent an answer that nobody asked for/],
  ] as const) {
    test(`${method} ends the module alone`, { timeout: 60_000 }, async (t) => {
      const { connected, logged } = await withTroubles(t);
      const [client, other] = [await connected(), await connected()];
      const noted = client.request(method);
      let slowestMs = 0;
      let isOver = false;
      void noted.then(() => (isOver = true));
      while (!isOver) {
        const askedAt = performance.now();
        await other.request("health");
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
      }
      const { error } = await noted;
      t.diagnostic(`${method}: the slowest answer to another client: ${slowestMs.toFixed(1)} ms`);
      assert.match(reasonOf(error)!, /^module-(failed|timeout)$/);
      await untilBack(client);
      assert.ok(
        logged.some((line) => words.test(line)),
        logged.join("\n"),
      );
    });
  }

  test("what it throws when nobody waits ends the module, with its words in the log", async (t) => {
    const { connected, logged, told } = await withTroubles(t);
    const client = await connected();
    assert.equal((await client.request("trouble.later")).payload, "done");
    await until(() => logged.find((line) => line.includes("ended: nobody waits for this")));
    assert.deepEqual(told.at(-1), {
      type: "modules",
      troubles: [`${TROUBLES} ended: nobody waits for this`],
    });
    await untilBack(client);
    assert.deepEqual(told.at(-1), { type: "modules", troubles: [] });
    const { payload } = await client.request("diagnostics.stability");
    const { byType } = (payload as { summary: { byType: Record<string, number> } }).summary;
    assert.equal(byType["module.failed"], 1);
    assert.equal(byType["module.ready"], 2);
  });

  test("a flood of output is cut in the log, and says so", async (t) => {
    const { connected, logged } = await withTroubles(t);
    const client = await connected();
    await client.request("trouble.print", { lines: 2_000 });
    await until(async () => {
      await client.request("trouble.print", { lines: 1 });
      return logged.some((line) => /lines were too many/.test(line)) || undefined;
    });
    assert.ok(logged.length < 400, `${logged.length} lines`);
  });

  test("64 calls at a time, the next one is refused", async (t) => {
    const client = await (await withTroubles(t)).connected();
    const waiting = Array.from({ length: 64 }, () => client.request("trouble.patient"));
    assert.equal(reasonOf((await client.request("trouble.echo")).error), "module-busy");
    assert.equal((await client.request("health")).ok, true);
    void Promise.allSettled(waiting);
  });
});
