import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FLOOR_MS, NetworkTimers } from "./network-timers.ts";

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

describe("networks in which single clients die", () => {
  it("do not drive out what was learned of another", () => {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 3; i++) timers.died(PHONES, 20_000, { now: i, isTrial: false });
    for (let n = 0; n < 3_000; n++) timers.died(`net-${n}`, 20_000, { now: n, isTrial: false });
    assert.equal(timers.intervalMs(PHONES), 12_000);
  });
});

describe("a trial of a longer interval", () => {
  const SECOND = 1_000;

  function learned(): NetworkTimers {
    const timers = new NetworkTimers(PRESET);
    for (let i = 0; i < 3; i++) timers.died(PHONES, 20_000, { now: 0, isTrial: false });
    assert.equal(timers.intervalMs(PHONES), 12_000);
    return timers;
  }

  /** What was learned held when it was tried again: the limit is real. */
  function confirmed(): NetworkTimers {
    const timers = learned();
    timers.beginTrial(PHONES, 30 * SECOND);
    timers.died(PHONES, 20_000, { now: 30 * SECOND, isTrial: true });
    return timers;
  }

  const hold = (timers: NetworkTimers, idleMs: number, now: number) => {
    for (let i = 0; i < 5; i++) timers.survived(PHONES, idleMs, { now, isTrial: true });
  };

  it("begins half a minute after a network was first learned, with what was in force before", () => {
    const timers = learned();
    assert.equal(timers.beginTrial(PHONES, 29 * SECOND), undefined);
    assert.equal(timers.beginTrial(PHONES, 30 * SECOND), PRESET);
  });

  it("begins so also after a restart, which an outage may well bring", () => {
    const again = new NetworkTimers(PRESET, learned().learned);
    assert.equal(again.beginTrial(PHONES, 30 * SECOND), PRESET);
  });

  it("that holds then was no timer but an outage: it is forgotten", () => {
    const timers = learned();
    timers.beginTrial(PHONES, 30 * SECOND);
    hold(timers, 20_000, 60 * SECOND);
    assert.deepEqual([timers.intervalMs(PHONES), timers.learned], [PRESET, []]);
  });

  it("does not hold by silences that are shorter than the one that killed", () => {
    const timers = learned();
    timers.beginTrial(PHONES, 30 * SECOND);
    hold(timers, 19_999, 60 * SECOND);
    assert.equal(timers.intervalMs(PHONES), 12_000);
  });

  it("is made on one link at a time, and after a drop not again for a day", () => {
    const timers = confirmed();
    const tried = 30 * SECOND;
    assert.equal(timers.beginTrial(PHONES, tried + DAY - 1), undefined);
    assert.equal(timers.beginTrial(PHONES, tried + DAY), 18_000);
    assert.equal(timers.beginTrial(PHONES, tried + DAY), undefined);
    timers.died(PHONES, 18_000, { now: tried + DAY, isTrial: true });
    assert.equal(timers.beginTrial(PHONES, tried + 2 * DAY - 1), undefined);
    assert.equal(timers.beginTrial(PHONES, tried + 2 * DAY), 18_000);
  });

  it("that took days to cost its connection is not made again for a day from then", () => {
    const timers = confirmed();
    timers.beginTrial(PHONES, 2 * DAY);
    timers.handOverTrial(PHONES);
    timers.beginTrial(PHONES, 5 * DAY);
    timers.died(PHONES, 18_000, { now: 5 * DAY, isTrial: true });
    assert.equal(timers.beginTrial(PHONES, 6 * DAY - 1), undefined);
    assert.equal(timers.beginTrial(PHONES, 6 * DAY), 18_000);
  });

  it("is made again also when the clock was years ahead, and is right by now", () => {
    const timers = new NetworkTimers(PRESET, [{ ...confirmed().learned[0]!, triedAt: 10_000 * DAY }]);
    assert.equal(timers.beginTrial(PHONES, 2 * DAY), 18_000);
  });

  it("that loses its link changes nothing but its own count", () => {
    const timers = confirmed();
    assert.deepEqual([timers.intervalMs(PHONES), timers.learned[0]!.trialDrops], [12_000, 1]);
  });

  it("that holds five times gives as much as its shortest silence allows a ping that comes late", () => {
    const timers = confirmed();
    timers.beginTrial(PHONES, 2 * DAY);
    hold(timers, 17_400, 2 * DAY);
    assert.equal(timers.intervalMs(PHONES), 14_000);
  });

  it("up to the preset that holds five times is the end of it", () => {
    const timers = confirmed();
    timers.beginTrial(PHONES, 2 * DAY);
    hold(timers, 17_400, 2 * DAY);
    timers.beginTrial(PHONES, 3 * DAY);
    hold(timers, 20_000, 3 * DAY);
    assert.deepEqual([timers.intervalMs(PHONES), timers.learned], [PRESET, []]);
  });

  it("is not held by a link that talks", () => {
    const timers = confirmed();
    timers.beginTrial(PHONES, 2 * DAY);
    hold(timers, 9_000, 2 * DAY);
    assert.equal(timers.intervalMs(PHONES), 12_000);
  });

  it("whose link ended for another reason is taken over by the next, with what it held", () => {
    const timers = confirmed();
    timers.beginTrial(PHONES, 2 * DAY);
    for (let i = 0; i < 4; i++) timers.survived(PHONES, 18_000, { now: 2 * DAY, isTrial: true });
    timers.handOverTrial(PHONES);
    assert.equal(timers.beginTrial(PHONES, 2 * DAY), 18_000);
    assert.equal(timers.survived(PHONES, 18_000, { now: 2 * DAY, isTrial: true }), true);
  });

  it("is a day after the last one also for an edge that was started anew", () => {
    const again = new NetworkTimers(PRESET, confirmed().learned);
    assert.equal(again.beginTrial(PHONES, DAY), undefined);
    assert.equal(again.beginTrial(PHONES, 30 * SECOND + DAY), 18_000);
  });
});

describe("what was kept", () => {
  const kept = { network: PHONES, killedAfterMs: 15_000, learnedAt: 0, triedAt: 0, trialDrops: 0 };

  it("is not in force below the floor, or when the config's interval is shorter by now", () => {
    for (const intervalMs of [0, FLOOR_MS - 1, PRESET]) {
      const timers = new NetworkTimers(PRESET, [{ ...kept, intervalMs }]);
      assert.deepEqual([timers.intervalMs(PHONES), timers.learned], [PRESET, []]);
    }
  });
});
