import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ProcessEnd } from "../core/process-end.ts";
import type { RunRecord } from "../core/run-record.ts";
import {
  decideRestart,
  initialRestartState,
  OPENCLAW_BREAKER,
  type RestartDecision,
  type UncleanLimit,
  uncleanStartsIn,
} from "./restart.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;

const crashed: ProcessEnd = { code: 1, signal: null, by: "itself" };
const killed: ProcessEnd = { code: null, signal: "SIGKILL", by: "itself" };
const refused: ProcessEnd = { code: 78, signal: null, by: "itself" };
const asked: ProcessEnd = { code: 0, signal: null, by: "operator" };
const hung: ProcessEnd = { code: null, signal: "SIGKILL", by: "supervisor", why: "hung (idle)" };

/** No jitter. */
const middle = () => 0.5;

/** A process under supervision. Time passes only while it runs or waits; the delays are what the trace shows. */
class Supervised {
  now = 0;
  random: () => number = middle;
  limit: UncleanLimit | undefined;
  #state = initialRestartState(0);

  /** It runs for `uptimeMs` and ends; it starts again when the delay is over. */
  dies(end: ProcessEnd, uptimeMs = 0): RestartDecision {
    this.now += uptimeMs;
    const [state, decision] = decideRestart(
      this.#state,
      { end, uptimeMs, now: this.now },
      this.random,
      this.limit,
    );
    this.#state = state;
    if (decision.kind === "restart") this.now += decision.delayMs;
    return decision;
  }

  /** The delays of `times` ends in a row. */
  delays(times: number, end: ProcessEnd, uptimeMs = 0): number[] {
    return Array.from({ length: times }, () => delayOf(this.dies(end, uptimeMs)));
  }
}

function delayOf(decision: RestartDecision): number {
  assert.equal(decision.kind, "restart");
  return decision.delayMs;
}

const quick = (times: number) => Array.from({ length: times }, () => 100);

describe("the first restart", () => {
  const ends: [string, ProcessEnd][] = [
    ["a crash", crashed],
    ["a kill", killed],
    ["a hang that the supervisor ended", hung],
    ["a clean exit nobody asked for", { code: 0, signal: null, by: "itself" }],
    ["a command that could not be started", { code: null, signal: null, by: "itself", startError: "ENOENT" }],
  ];
  for (const [name, end] of ends) {
    it(`after ${name} is immediate`, () => {
      assert.deepEqual(new Supervised().dies(end, 5 * SECOND), {
        kind: "restart",
        delayMs: 0,
        isCrashLoop: false,
      });
    });
  }
});

describe("the budget of quick restarts", () => {
  it("is ten: one at once, nine after 100 ms, the eleventh waits a second", () => {
    assert.deepEqual(new Supervised().delays(11, crashed), [0, ...quick(9), 1000]);
  });

  it("is not yet a crash loop while it lasts, and one when it is used up", () => {
    const process = new Supervised();
    const loops = Array.from({ length: 11 }, () => process.dies(crashed)).map(
      (d) => d.kind === "restart" && d.isCrashLoop,
    );
    assert.deepEqual(loops, [...Array.from({ length: 10 }, () => false), true]);
  });

  it("gets one back every 10 s", () => {
    const process = new Supervised();
    process.delays(10, crashed);
    assert.deepEqual(process.delays(2, crashed, 9_100), [100, 1000]);
  });

  it("fills up while the process runs, but not over ten", () => {
    const process = new Supervised();
    process.delays(10, crashed);
    // five come back, then six; an immediate restart shows that the budget was full
    assert.deepEqual(process.delays(2, crashed, 55 * SECOND), [100, 0]);
    assert.deepEqual(process.delays(10, crashed), [...quick(9), 1000]);
  });

  it("is spent by a hanging gateway like by a crashing one", () => {
    assert.deepEqual(new Supervised().delays(11, hung), [0, ...quick(9), 1000]);
  });

  it("does not forget the part of 10 s that has passed", () => {
    const process = new Supervised();
    process.delays(10, crashed); // at 0.9 s the budget is empty
    process.dies(crashed, 14_100); // at 15 s: the one that came back at 10 s
    assert.equal(delayOf(process.dies(crashed, 4_900)), 100); // at 20 s: the next
  });
});

describe("the backoff", () => {
  /** Decisions for ends at one instant, as if nothing came back to the budget. */
  function delaysAtOnce(times: number, random: () => number): number[] {
    let state = initialRestartState(0);
    return Array.from({ length: times }, () => {
      const [next, decision] = decideRestart(state, { end: crashed, uptimeMs: 0, now: 0 }, random);
      state = next;
      return delayOf(decision);
    });
  }

  it("doubles from 1 s to the cap of 30 s and stays there", () => {
    assert.deepEqual(
      delaysAtOnce(18, middle).slice(10),
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
    );
  });

  // Waiting is what fills the budget again: without care, the 8 s wait buys a quick restart that ends the backoff.
  it("reaches its cap with a process that dies at once, every time, while time passes", () => {
    const delays = new Supervised().delays(60, crashed);
    assert.equal(Math.max(...delays), 30_000);
  });

  it("is 20 % shorter at the low end of the jitter", () => {
    assert.deepEqual(delaysAtOnce(12, () => 0).slice(9), [80, 800, 1600]);
  });

  it("is 20 % longer at the high end of the jitter", () => {
    assert.deepEqual(delaysAtOnce(12, () => 1).slice(9), [120, 1200, 2400]);
  });

  it("never exceeds the cap and its jitter, however long it lasts", () => {
    assert.ok(Math.max(...delaysAtOnce(5_000, () => 1)) <= 36_000);
  });
});

describe("never giving up", () => {
  it("the ten thousandth crash in a row still leads to a restart", () => {
    const process = new Supervised();
    for (let i = 0; i < 10_000; i++) assert.equal(process.dies(crashed).kind, "restart");
  });

  it("whatever happens, only exit code 78 is not restarted", () => {
    const ends = fc.record({
      end: fc.constantFrom(crashed, killed, refused, asked, hung),
      uptimeMs: fc.nat(120_000),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(ends, { maxLength: 50 }), (lives) => {
        const process = new Supervised();
        for (const { end, uptimeMs, random } of lives) {
          process.random = () => random;
          const decision = process.dies(end, uptimeMs);
          assert.equal(decision.kind, end === refused ? "refused" : "restart");
          if (decision.kind === "restart") assert.ok(decision.delayMs >= 0 && decision.delayMs <= 36_000);
        }
      }),
    );
  });
});

describe("exit code 78", () => {
  it("is a refusal: no restart", () => assert.deepEqual(new Supervised().dies(refused), { kind: "refused" }));

  it("is one also after a long life", () => {
    assert.deepEqual(new Supervised().dies(refused, HOUR), { kind: "refused" });
  });

  it("costs nothing of the budget", () => {
    const process = new Supervised();
    process.dies(refused);
    assert.deepEqual(process.delays(11, crashed), [0, ...quick(9), 1000]);
  });
});

describe("a process that was stable", () => {
  it("for 60 s starts again at once, with a full budget", () => {
    const process = new Supervised();
    process.delays(12, crashed);
    assert.deepEqual(
      [delayOf(process.dies(crashed, 60 * SECOND)), ...process.delays(10, crashed)],
      [0, ...quick(9), 1000],
    );
  });

  it("for a moment less than 60 s does not", () => {
    const process = new Supervised();
    process.delays(10, crashed);
    // 59.999 s gave five quick restarts back
    assert.equal(delayOf(process.dies(crashed, 59_999)), 100);
  });

  it("ends the crash loop", () => {
    const process = new Supervised();
    process.delays(15, crashed);
    assert.deepEqual(process.dies(killed, HOUR), { kind: "restart", delayMs: 0, isCrashLoop: false });
  });
});

describe("a restart its operator asked for", () => {
  it("is immediate", () => {
    const process = new Supervised();
    process.delays(5, crashed);
    assert.deepEqual(process.dies(asked), { kind: "restart", delayMs: 0, isCrashLoop: false });
  });

  it("is immediate in a crash loop too, and begins anew", () => {
    const process = new Supervised();
    process.delays(15, crashed);
    assert.deepEqual([delayOf(process.dies(asked)), ...process.delays(10, crashed)], [0, ...quick(9), 1000]);
  });
});

describe("a gateway that counts unclean ends", () => {
  const openclaw = () => {
    const process = new Supervised();
    process.limit = OPENCLAW_BREAKER;
    return process;
  };

  it("is started twice within five minutes, and a third time when they have passed", () => {
    const process = openclaw();
    assert.deepEqual(process.delays(2, killed, 20 * SECOND), [0, 0]);
    // its first such start was 40 s ago
    assert.deepEqual(process.delays(1, killed, 20 * SECOND), [(300 + 1 - 40) * SECOND]);
  });

  it("is never started a third time within any five minutes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 * SECOND }), { maxLength: 30 }), (uptimes) => {
        const process = openclaw();
        const starts = uptimes.map((uptimeMs) => {
          process.dies(killed, uptimeMs);
          return process.now;
        });
        starts.forEach((at, i) => {
          const third = starts[i + 2];
          assert.ok(third === undefined || third - at > OPENCLAW_BREAKER.windowMs);
        });
      }),
    );
  });

  it("is started at once when it ended cleanly, or its operator asked", () => {
    const process = openclaw();
    process.delays(2, killed, 20 * SECOND);
    const clean: ProcessEnd = { code: 0, signal: null, by: "itself" };
    assert.ok(process.delays(1, clean, 20 * SECOND)[0]! <= 100);
    assert.deepEqual(process.delays(1, asked), [0]);
  });

  it("is not made to wait for starts that never were: its program was missing", () => {
    const process = openclaw();
    const missing: ProcessEnd = { code: null, signal: null, by: "itself", startError: "ENOENT" };
    assert.deepEqual(process.delays(3, missing), [0, 100, 100]);
  });

  it("has the starts that another supervisor made counted", () => {
    const starts = uncleanStartsIn(
      [
        record("gateway", 0, { event: "start" }),
        record("gateway", 10, { event: "end", end: killed }),
        record("edge", 11, { event: "start" }),
        record("gateway", 12, { event: "start" }),
        record("gateway", 20, { event: "end", end: asked }),
        record("gateway", 30, { event: "start" }),
        record("gateway", 40, { event: "end", end: crashed }),
        record("gateway", 41, { event: "start" }),
      ],
      { now: 1_000, wall: WALL + 50 * SECOND },
    );
    assert.deepEqual(
      starts,
      [12, 41].map((second) => 1_000 - (50 - second) * SECOND),
    );
    const state = initialRestartState(1_000, starts);
    const [, decision] = decideRestart(
      state,
      { end: killed, uptimeMs: SECOND, now: 1_000 },
      middle,
      OPENCLAW_BREAKER,
    );
    assert.deepEqual(decision, { kind: "restart", delayMs: (300 + 1 - 38) * SECOND, isCrashLoop: true });
  });
});

const WALL = Date.parse("2026-11-23T02:00:00Z");

/** As far as it is looked at. */
function record(role: string, second: number, rest: object): RunRecord {
  return { role, at: new Date(WALL + second * SECOND).toISOString(), ...rest } as RunRecord;
}
