import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "../../src/core/address-ranges.ts";
import { program, sleep, TestClawkit, until } from "../helpers/clawkit.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { connections } from "../helpers/recorded.ts";
import { Crowd } from "./crowd.ts";
import { NatPath } from "./lab.ts";

/** 200 clients; the second and the third network are to be as if nothing was ever learned. */
const NETWORKS = [
  { clients: 67, path: { idleSec: 15 } },
  { clients: 67, path: { idleSec: 45 } },
  { clients: 66, path: {} },
] as const;

/** As a client does that looks after itself: later than the longest silence that an edge leaves that is well. */
const PATIENCE_SEC = 35;

/** Clients that came at the same time miss their pings within that of each other. */
const SETTLED_MS = 4_000;

/** Minutes beyond the trial in which nobody may be lost (`npm run soak:keepalive`). */
const SOAK_MIN = Number(process.env.CLAWKIT_SOAK_MIN ?? 0);

const gateway = {
  bind: "lan",
  upstream: { type: "command", command: program("echo"), trustsEdge: true },
};

test("200 clients on networks that forget after 15 s, after 45 s and never: once that is learned nobody is lost but one, on trial", {
  skip: process.env.CI ? false : whyNoNamespaces(),
  timeout: (SOAK_MIN + 5) * 60_000,
}, async (t) => {
  await using clawkit = await TestClawkit.run({ gateway });
  await using plain = await TestClawkit.run({ gateway: { ...gateway, keepalive: { adaptive: false } } });
  using lab = new DisposableStack();
  const paths = NETWORKS.map(({ path }) => lab.use(new NatPath(path)));
  const impatientNetwork = networkOf(paths[0]!.outside);
  const crowdAt = ({ port }: TestClawkit) =>
    NETWORKS.map(({ clients }, index) => {
      const { onClient, gateway: host } = paths[index]!;
      return lab.use(new Crowd(onClient, `ws://${host}:${port}`, clients, PATIENCE_SEC));
    });
  const [impatient, patient, endless] = crowdAt(clawkit);
  const [, patientWithout, endlessWithout] = crowdAt(plain);
  const startedAt = performance.now();
  const timer = async () => (await clawkit.status()).networkTimers.at(0);
  const isFull = () => impatient!.seen.open === NETWORKS[0].clients;
  await until(isFull);

  const learned = await until(timer, 60_000);
  assert.equal(learned.network, impatientNetwork);
  const learnedAfter = performance.now() - startedAt;
  await until(() => impatient!.seen.drops >= 1, 60_000);
  let drops = 0;
  while (drops !== impatient!.seen.drops || !isFull()) {
    drops = impatient!.seen.drops;
    await sleep(SETTLED_MS);
  }
  const lostByLearning = impatient!.seen.drops;

  const crowds = [impatient, patient, endless, patientWithout, endlessWithout].map((crowd) => crowd!);
  const before = crowds.map(({ seen }) => seen);
  const since = performance.now();
  await until(async () => (await timer())?.trialDrops === 1, 120_000);
  await sleep(SOAK_MIN * 60_000);
  const seconds = (performance.now() - since) / 1_000;
  const after = crowds.map(({ seen }) => seen);
  const pings = after.map((seen, index) => seen.pings - before[index]!.pings);
  const perMinute = pings.map((number, index) => (60 * number) / seconds / after[index]!.open);
  t.diagnostic(
    `learned after ${(learnedAfter / 1_000).toFixed(0)} s: pings every ${learned.intervalMs / 1_000} s; ` +
      `${lostByLearning} connections lost by that`,
  );
  t.diagnostic(
    `pings per client and minute over ${seconds.toFixed(0)} s: ${perMinute.map((n) => n.toFixed(2)).join(", ")} ` +
      "(15 s, 45 s, none; 45 s and none with adaptive off)",
  );

  const { networkTimers } = await clawkit.status();
  assert.deepEqual(
    networkTimers.map(({ network, trialDrops }) => [network, trialDrops]),
    [[impatientNetwork, 1]],
  );
  const lost = after.map((seen, index) => seen.drops - before[index]!.drops);
  assert.ok(lost[0]! <= 1, `${lost[0]} lost on the network that forgets after 15 s`);
  assert.deepEqual(lost.slice(1), [0, 0, 0, 0]);
  const ends = (await connections(clawkit)).filter(({ end }) => end?.cause === "client-unreachable");
  assert.ok(ends.every(({ address }) => networkOf(address) === impatientNetwork));
  assert.ok(ends.length <= lostByLearning + 1, `${ends.length} unreachable`);

  assert.ok(perMinute[0]! <= 1.5 * 4, `${perMinute[0]} pings a minute`);
  for (const index of [1, 2]) {
    const ratio = perMinute[index]! / perMinute[index + 2]!;
    assert.ok(ratio > 0.9 && ratio < 1.1, `${ratio} of the pings without`);
  }
});
