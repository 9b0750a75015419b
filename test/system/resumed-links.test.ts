import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type TestClawkit as Clawkit, sleep, TestClawkit } from "../helpers/clawkit.ts";
import { HistoryClient } from "../helpers/history.ts";
import { Random } from "../helpers/random.ts";
import { exits } from "../helpers/results.ts";

// Clients of the built-in gateway issue requests without pause, while it ends in one way or another: they notice nothing.

/** A soak is 200 clients and 20 kills (`npm run soak:links`). */
const CLIENTS = Number(process.env.CLAWKIT_LINK_CLIENTS ?? 60);
const ENDS = Number(process.env.CLAWKIT_LINK_ENDS ?? 4);

/**
 * Between two ends. A gateway that ends while it runs again what the one before left is taken to end by that, and the
 * request is quarantined: by then it is done.
 */
const SHORTEST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 4_000;

describe(`${CLIENTS} clients that ask without pause`, { concurrency: false, timeout: 600_000 }, () => {
  test(`of a gateway that is killed ${ENDS} times notice nothing`, async (t) => {
    await through(t, async (clawkit) => {
      process.kill((await clawkit.ready()).gateway.pid!, "SIGKILL");
    });
  });

  test(`of a gateway that gets SIGTERM ${ENDS} times notice nothing`, async (t) => {
    await through(t, async (clawkit) => {
      process.kill((await clawkit.ready()).gateway.pid!, "SIGTERM");
    });
  });

  test(`of a gateway that its operator restarts ${ENDS} times notice nothing`, async (t) => {
    await through(t, async (clawkit) => {
      await exits(0, clawkit.cli("gateway", "restart"));
    });
  });
});

/** Lets the gateway end again and again; prints how long the answers took that had to wait for the next one. */
async function through(t: TestContext, end: (clawkit: Clawkit) => Promise<void>): Promise<void> {
  await using clawkit = await TestClawkit.run();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => HistoryClient.connect(clawkit.url)),
  );
  try {
    let isOver = false;
    const asking = clients.map((client) => client.ask(() => isOver));
    const random = new Random(1);
    const first = (await clawkit.status()).gateway.generation!;
    for (let i = 1; i <= ENDS; i++) {
      await sleep(SHORTEST_PAUSE_MS + random.below(LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
      await end(clawkit);
      await clawkit.untilStatus(
        ({ gateway }) => gateway.state === "ready" && gateway.generation! >= first + i,
        60_000,
      );
    }
    await sleep(1_000);
    isOver = true;
    await Promise.all(asking);
    for (const client of clients) client.check();
    const times = clients.flatMap(({ answeredAfter }) => answeredAfter).sort((a, b) => a - b);
    const waited = times.filter((ms) => ms > 250);
    const at = (list: number[], share: number) => Math.round(list[Math.floor(list.length * share)] ?? 0);
    t.diagnostic(
      `${times.length} answers, median ${at(times, 0.5)} ms; of ${waited.length} that waited: median ${at(waited, 0.5)} ms, 95 % ${at(waited, 0.95)} ms; longest answer gap ${Math.round(times.at(-1) ?? 0)} ms; ${clients.reduce((sum, { expired }) => sum + expired, 0)} had expired`,
    );
    assert.ok(times.length > CLIENTS * ENDS, "hardly anything was asked");
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}
