import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FLOOR_MS, NetworkTimers, networkOf } from "./network-timers.ts";

const PRESET = 20_000;
const DAY = 24 * 3_600_000;
const PHONES = "192.0.2.0/24";

/** Connections of a network whose boxes forget after `limitMs`, pinged for `forMs`; how many were lost, and pings sent. */
function lived(
  timers: NetworkTimers,
  limitMs: number,
  { clients, forMs, from = 0 }: { clients: number; forMs: number; from?: number },
) {
  let lost = 0;
  let pings = 0;
  const next = Array.from({ length: clients }, (_, index) => from + (index * PRESET) / clients);
  const silentSince = [...next];
  for (let now = from; now < from + forMs; now += 250) {
    for (let client = 0; client < clients; client++) {
      if (now < next[client]!) continue;
      const idleMs = now - silentSince[client]!;
      pings++;
      if (idleMs > limitMs) {
        timers.died(PHONES, idleMs, { now, isTrial: false });
        lost++;
      } else timers.survived(PHONES, idleMs, { now, isTrial: false });
      silentSince[client] = now;
      const jitter = 0.9 + 0.2 * (((client * 37 + now / 250) % 100) / 100);
      next[client] = now + timers.intervalMs(PHONES) * jitter;
    }
  }
  return { lost, pings };
}

describe("a network whose boxes forget after 15 s", () => {
  it("loses few while it is learned, then nobody, with at most 1.5 pings for each 15 s", () => {
    const timers = new NetworkTimers(PRESET);
    const learning = lived(timers, 15_000, { clients: 60, forMs: 120_000 });
    assert.ok(learning.lost >= 3 && learning.lost <= 120, `${learning.lost} lost`);
    const after = lived(timers, 15_000, { clients: 60, forMs: 600_000, from: 120_000 });
    assert.equal(after.lost, 0);
    assert.ok(after.pings <= 60 * 40 * 1.5, `${after.pings} pings`);
    assert.ok(timers.intervalMs(PHONES) * 1.1 < 15_000, `${timers.intervalMs(PHONES)}`);
  });

  it("costs no other network a ping", () => {
    const timers = new NetworkTimers(PRESET);
    lived(timers, 15_000, { clients: 60, forMs: 120_000 });
    assert.equal(timers.intervalMs("198.51.100.0/24"), PRESET);
  });

  it("is known again after a restart", () => {
    const timers = new NetworkTimers(PRESET);
    lived(timers, 15_000, { clients: 60, forMs: 120_000 });
    const again = new NetworkTimers(PRESET, timers.learned);
    assert.equal(again.intervalMs(PHONES), timers.intervalMs(PHONES));
  });
});

describe("what is learned", () => {
  it("is nothing from a network with a limit of 45 s, or none", () => {
    for (const limitMs of [45_000, Number.POSITIVE_INFINITY]) {
      const timers = new NetworkTimers(PRESET);
      assert.equal(lived(timers, limitMs, { clients: 60, forMs: 600_000 }).lost, 0);
      assert.deepEqual(timers.learned, []);
    }
  });

  it("is nothing from two clients that died, or from laptops that were closed while others lived as silently", () => {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 2; i++) assert.equal(timers.died(PHONES, 20_000, { now: i, isTrial: false }), false);
    for (let i = 0; i < 5; i++) timers.survived(PHONES, 21_000, { now: 3, isTrial: false });
    for (let i = 0; i < 3; i++) assert.equal(timers.died(PHONES, 20_000, { now: 4, isTrial: false }), false);
    assert.equal(timers.intervalMs(PHONES), PRESET);
  });

  it("is nothing from a way that was cut in the middle of traffic", () => {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 10; i++) assert.equal(timers.died(PHONES, 3_000, { now: i, isTrial: false }), false);
  });

  it("is nothing from deaths that are far apart", () => {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 10; i++) timers.died(PHONES, 20_000, { now: i * 3_600_000, isTrial: false });
    assert.deepEqual(timers.learned, []);
  });

  it("never goes below the floor", () => {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 100; i++) timers.died(PHONES, timers.intervalMs(PHONES), { now: i, isTrial: false });
    assert.equal(timers.intervalMs(PHONES), FLOOR_MS);
  });

  it("is bounded", () => {
    const timers = new NetworkTimers(PRESET);
    for (let n = 0; n < 3_000; n++) {
      for (let i = 0; i < 3; i++) timers.died(`net-${n}`, 20_000, { now: n, isTrial: false });
    }
    assert.equal(timers.learned.length, 1_000);
  });
});

describe("a trial of a longer interval", () => {
  function learned(): NetworkTimers {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 3; i++) timers.died(PHONES, 20_000, { now: 0, isTrial: false });
    assert.equal(timers.intervalMs(PHONES), 12_000);
    return timers;
  }

  it("begins a day after what was learned, on one link, and not again that day", () => {
    const timers = learned();
    assert.equal(timers.beginTrial(PHONES, DAY - 1), undefined);
    assert.equal(timers.beginTrial(PHONES, DAY), 18_000);
    assert.equal(timers.beginTrial(PHONES, DAY), undefined);
    timers.died(PHONES, 18_000, { now: DAY + 1, isTrial: true });
    assert.equal(timers.beginTrial(PHONES, 2 * DAY - 1), undefined);
    assert.equal(timers.beginTrial(PHONES, 2 * DAY), 18_000);
  });

  it("that loses its link changes nothing but its own count", () => {
    const timers = learned();
    timers.beginTrial(PHONES, DAY);
    timers.died(PHONES, 18_000, { now: DAY, isTrial: true });
    assert.deepEqual([timers.intervalMs(PHONES), timers.learned[0]!.trialDrops], [12_000, 1]);
  });

  it("that holds five times is taken over, and at the preset the network is forgotten", () => {
    const timers = learned();
    for (let day = 1; day <= 2; day++) {
      timers.beginTrial(PHONES, day * DAY);
      for (let i = 0; i < 5; i++) timers.survived(PHONES, 18_000, { now: day * DAY, isTrial: true });
    }
    assert.deepEqual([timers.intervalMs(PHONES), timers.learned], [PRESET, []]);
  });

  it("whose link ended for another reason may begin again, the next day", () => {
    const timers = learned();
    timers.beginTrial(PHONES, DAY);
    timers.abandonTrial(PHONES);
    assert.equal(timers.beginTrial(PHONES, 2 * DAY), 18_000);
  });
});

describe("the network of an address", () => {
  for (const [address, network] of [
    ["192.0.2.7", "192.0.2.0/24"],
    ["::ffff:192.0.2.7", "192.0.2.0/24"],
    ["2001:db8:1:2::3", "2001:db8:1::/48"],
    ["2001:db8::3", "2001:db8:0::/48"],
    ["::1", "0:0:0::/48"],
    ["fe80::1%eth0", "fe80:0:0::/48"],
  ] as const) {
    it(`${address} is of ${network}`, () => assert.equal(networkOf(address), network));
  }
});
