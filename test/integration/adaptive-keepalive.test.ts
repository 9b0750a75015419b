import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { ask } from "../helpers/http.ts";
import { exits, json } from "../helpers/results.ts";

const upstream = { type: "command", command: program("echo"), trustsEdge: true };

/** The clients of the test come from loopback, and their proxy says from where: it is their network that is learned. */
const PHONES = "192.0.2.0/24";

const behindProxy = (keepalive: object) => ({
  gateway: { upstream, trustedProxies: ["127.0.0.1"], keepalive },
});

/** The floor is 5 s: a silence of 8 s, the longest before a ping of these, is shortened to it. */
const QUICK = { intervalSec: 7, timeoutSec: 1 };

const LEARNED = {
  network: PHONES,
  intervalMs: 11_000,
  killedAfterMs: 18_300,
  learnedAt: Date.now() - 2 * 3_600_000,
  triedAt: Date.now(),
  trialDrops: 1,
};

/** Clients behind a box that has forgotten them: to the edge it is the same that their pongs never come. */
async function losePhones(clawkit: TestClawkit): Promise<number[]> {
  const phones = Array.from({ length: 4 }, (_, index) => {
    const headers = { "X-Forwarded-For": `192.0.2.${index + 1}` };
    return new TestClient(clawkit.url, { headers, autoPong: false });
  });
  const ends = await Promise.all(phones.map(({ ended }) => ended));
  return ends.map(({ code }) => code);
}

const networks = async (clawkit: TestClawkit) =>
  (await clawkit.status()).networkTimers.map(({ network, intervalMs }) => [network, intervalMs]);

describe("keepalive that learns", { concurrency: 4 }, () => {
  test("is of the clients' network, is shown, and outlives its edge", async () => {
    await using clawkit = await TestClawkit.run(behindProxy(QUICK));
    assert.deepEqual(await losePhones(clawkit), [3008, 3008, 3008, 3008]);
    assert.deepEqual(await networks(clawkit), [[PHONES, 5_000]]);
    const file = statePaths(clawkit.stateDir).networkTimers;
    const { mode } = await until(() => stat(file).catch(() => undefined));
    assert.equal(mode & 0o777, 0o600);

    const { edge } = await clawkit.status();
    process.kill(edge.pid!, "SIGKILL");
    await clawkit.untilStatus(({ state, edge: { pid } }) => state === "healthy" && pid !== edge.pid);
    assert.deepEqual(await networks(clawkit), [[PHONES, 5_000]]);
  });

  test("is off with gateway.keepalive.adaptive: false, also of what was learned before", async () => {
    await using clawkit = await TestClawkit.create(behindProxy({ ...QUICK, adaptive: false }));
    const path = statePaths(clawkit.stateDir).networkTimers;
    await writeFile(path, JSON.stringify([{ ...LEARNED, intervalMs: 6_000 }]));
    await clawkit.runForeground();
    await clawkit.ready();
    assert.deepEqual(await losePhones(clawkit), [3008, 3008, 3008, 3008]);
    assert.deepEqual(await networks(clawkit), []);
  });

  test("is told by gateway status and the doctor, and not to strangers", async () => {
    await using clawkit = await TestClawkit.create(behindProxy({}));
    await writeFile(statePaths(clawkit.stateDir).networkTimers, JSON.stringify([LEARNED]));
    await clawkit.runForeground();
    await clawkit.ready();
    const { stdout } = await exits(0, clawkit.cli("gateway", "status"));
    assert.match(
      stdout,
      /network +192\.0\.2\.0\/24: pings every 11 s \(silent connections died there after 18 s; learned 2 h ago; 1 trial drop\)\n/,
    );
    const status = json(await exits(0, clawkit.cli("gateway", "status", "--json")));
    assert.deepEqual((status as { networkTimers: unknown }).networkTimers, [LEARNED]);
    const told = await exits(0, clawkit.cli("doctor", "--only", "ours"));
    assert.match(
      told.stdout,
      /learned +pings go every 11 s in 192\.0\.2\.0\/24, as silent connections died there after 18 s\n/,
    );
    for (const path of ["healthz", "readyz"]) {
      const { body } = await ask(clawkit.port, `/__clawkit__/${path}`);
      assert.doesNotMatch(body.toString(), /192\.0\.2/);
    }
  });

  for (const [what, text] of [
    ["is no JSON", "[{"],
    ["is something else", '{"network":"192.0.2.0/24"}'],
    [
      "holds something else",
      JSON.stringify([null, 7, { ...LEARNED, network: "\u001b[2J" }, { network: PHONES }]),
    ],
    ["would have them pinged all the time", JSON.stringify([{ ...LEARNED, intervalMs: 1 }])],
  ] as const) {
    test(`starts without what was learned when its file ${what}`, async () => {
      await using clawkit = await TestClawkit.create(behindProxy({}));
      await writeFile(statePaths(clawkit.stateDir).networkTimers, text);
      await clawkit.runForeground();
      assert.equal((await clawkit.ready()).state, "healthy");
      assert.deepEqual(await networks(clawkit), []);
    });
  }
});
