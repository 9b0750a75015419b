import assert from "node:assert/strict";
import { rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { fillBytes, mountSmall, whyNoMounts } from "../faults/mounts.ts";
import { type TestClawkit as Clawkit, ROOT, sleep, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import type { HistoryClient, HistoryOptions } from "../helpers/history.ts";
import { History, HistoryNode, HistoryOperator } from "../helpers/history-roles.ts";
import { Random } from "../helpers/random.ts";
import { ReferenceClient, strayAnswers } from "../helpers/reference-client.ts";
import { exits } from "../helpers/results.ts";

// Operators and nodes of the built-in gateway issue requests without pause, while it ends in one way or another: they notice nothing.

/** A soak is 200 clients and 20 ends (`npm run soak:links`). */
const CLIENTS = Number(process.env.CLAWKIT_LINK_CLIENTS ?? 60);
const ENDS = Number(process.env.CLAWKIT_LINK_ENDS ?? 4);

/** Between two ends, at the longest: 20 of them in a minute. */
const PAUSE_MS = 4_000;

/** An outage of the soak; without it longer than the reference client is patient with a gateway that does not tick (60 s). */
const OUTAGE_MS = Number(process.env.CLAWKIT_LINK_OUTAGE_SEC ?? 75) * 1_000;

const noMounts = process.env.CI ? false : whyNoMounts();

const TROUBLES = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, "test/fixtures/preload/gateway-troubles.ts"))}`,
};

checkFramesOfEachTest();

describe("clients of the built-in gateway", { concurrency: true, timeout: 900_000 }, () => {
  describe(`${CLIENTS} of them that ask without pause`, { concurrency: false }, () => {
    test(`of a gateway that is killed ${ENDS} times notice nothing`, async (t) => {
      await using clawkit = await TestClawkit.run();
      await through(
        t,
        clawkit,
        again(clawkit, () => signal(clawkit, "SIGKILL")),
      );
    });

    test(`of a gateway that gets SIGTERM ${ENDS} times notice nothing`, async (t) => {
      await using clawkit = await TestClawkit.run();
      await through(
        t,
        clawkit,
        again(clawkit, () => signal(clawkit, "SIGTERM")),
      );
    });

    test(`of a gateway that its operator restarts ${ENDS} times notice nothing`, async (t) => {
      await using clawkit = await TestClawkit.run();
      const restart = async () => void (await exits(0, clawkit.cli("gateway", "restart")));
      await through(t, clawkit, again(clawkit, restart));
    });

    test("of a gateway whose heap is used up twice notice nothing", async (t) => {
      await using clawkit = await TestClawkit.create({ supervisor: { heapMb: 128, memoryRestart: false } });
      await clawkit.runForeground(TROUBLES);
      await clawkit.ready();
      await through(t, clawkit, async () => {
        // what is in flight at two crashes is refused, rightly: those of the first are done by then
        const crash = () => sleep(2_500).then(() => signal(clawkit, "SIGURG"));
        await again(clawkit, crash, 2)();
        assert.match(await clawkit.runLog(), /v8-heap/);
      });
    });

    test("of a gateway whose disk is full are refused with the reason, and go on", {
      skip: noMounts,
    }, async (t) => {
      await using clawkit = await TestClawkit.create();
      using stack = new DisposableStack();
      mountSmall(stack, clawkit.stateDir, "size=96m");
      await clawkit.writeConfig({});
      await clawkit.runForeground();
      await clawkit.ready();
      // enough for hellos; the journal's log takes 4 MB until it is used again
      const filling = join(clawkit.stateDir, "filling");
      await fillBytes(clawkit.stateDir);
      await truncate(filling, (await stat(filling)).size - 2 * 1024 * 1024);
      const isRefused = (clients: readonly HistoryClient[]) => clients.some(({ notDone }) => notDone > 0);
      await through(
        t,
        clawkit,
        async (clients) => {
          await until(() => isRefused(clients));
          await sleep(2_000);
          await rm(filling);
          await sleep(2_000);
        },
        { clients: 20, mayBeRefused: true },
      );
      await exits(0, clawkit.cli("gateway", "stop")); // its socket goes with the mount
    });
  });

  test(`an idle reference client stays connected through ${OUTAGE_MS / 1_000} s without a gateway`, async () => {
    await using clawkit = await TestClawkit.create();
    const keepAway = join(clawkit.stateDir, "keep-away");
    await clawkit.runForeground({ ...TROUBLES, CLAWKIT_TEST_KEEP_AWAY: keepAway });
    await clawkit.ready();
    await using client = await ReferenceClient.connect(clawkit.url, TOKEN, { scopes: ["operator.admin"] });
    await client.request("system-event", { text: "before the outage" });

    await writeFile(keepAway, "");
    const { pid } = (await clawkit.status()).gateway;
    process.kill(pid!, "SIGKILL");
    await sleep(OUTAGE_MS);
    assert.notEqual((await clawkit.status()).gateway.state, "ready");
    await rm(keepAway);

    const [{ text }] = await client.request<[{ text: string }]>("system-presence");
    assert.equal(text, "before the outage");
    assert.deepEqual(client.closes, []);
    assert.deepEqual(client.gaps, []);
  });
});

function again(clawkit: Clawkit, end: () => Promise<void>, times = ENDS): () => Promise<void> {
  return async () => {
    const random = new Random(1);
    const first = (await clawkit.status()).gateway.generation!;
    for (let i = 1; i <= times; i++) {
      await sleep(random.below(PAUSE_MS));
      await end();
      await clawkit.untilStatus(
        ({ gateway }) => gateway.state === "ready" && gateway.generation! >= first + i,
        60_000,
      );
    }
    await sleep(1_000);
  };
}

async function signal(clawkit: Clawkit, name: NodeJS.Signals): Promise<void> {
  process.kill((await clawkit.ready()).gateway.pid!, name);
}

/** Half of the clients are nodes, which the others use. Prints how long answers took. */
async function through(
  t: TestContext,
  clawkit: Clawkit,
  trouble: (clients: readonly HistoryClient[]) => Promise<void>,
  { clients: count = CLIENTS, ...options }: HistoryOptions & { readonly clients?: number } = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const history = new History();
  const half = Array.from({ length: count / 2 }, (_, i) => `operator ${i}`);
  const nodes = half.map(() => stack.use(new HistoryNode(clawkit.url, history, options)));
  await Promise.all(nodes.map((node) => node.hello()));
  const on = { history, nodes: nodes.map(({ id }) => id) };
  const operators = half.map((name) => stack.use(new HistoryOperator(clawkit.url, name, on, options)));
  await Promise.all(operators.map((operator) => operator.hello()));
  const clients = [...nodes, ...operators];

  let isOver = false;
  const asking = clients.map((client) => client.ask(() => isOver));
  await trouble(clients);
  isOver = true;
  await Promise.all(asking);
  for (const node of nodes) while (await node.drain());

  for (const client of clients) client.check();
  history.check();
  assert.deepEqual(strayAnswers.splice(0), []);
  const present = (await operators[0]!.request("system-presence", {})) as { text?: string }[];
  const texts = new Set(present.map(({ text }) => text));
  const lost = operators.filter(({ written }) => written !== undefined && !texts.has(written));
  assert.equal(lost.length, 0, "the last text of an operator is not what is there");
  const times = clients.flatMap(({ answeredAfter }) => answeredAfter).sort((a, b) => a - b);
  const waited = times.filter((ms) => ms > 250);
  const at = (list: number[], share: number) => Math.round(list[Math.floor(list.length * share)] ?? 0);
  const refused = clients.reduce((sum, { notDone }) => sum + notDone, 0);
  t.diagnostic(
    `${times.length} answers (${history.invoked.size} by nodes, ${history.queued.size} left for them), median ${at(times, 0.5)} ms; of ${waited.length} that waited: median ${at(waited, 0.5)} ms, 95 % ${at(waited, 0.95)} ms; longest answer gap ${Math.round(times.at(-1) ?? 0)} ms; ${refused} not done`,
  );
  assert.ok(times.length > count * ENDS, "hardly anything was asked");
}
