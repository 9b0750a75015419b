import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type LivenessAction,
  type LivenessEvent,
  type LivenessRules,
  NOTICE_MS,
  startLiveness,
  stepLiveness,
} from "./liveness.ts";

const SECOND = 1000;
const PROBE_MS = 2_500;

const rules: LivenessRules = { hangRestartMs: 30 * SECOND, startTimeoutMs: 60 * SECOND };
/** An OpenClaw gateway: it may be busy for minutes. */
const patient: LivenessRules = { hangRestartMs: 330 * SECOND, startTimeoutMs: 300 * SECOND };

type Process = "stopped" | "busy" | "idle";

/** One life of a gateway and its judge. Times are seconds from its start; the log is what the judge did. */
class Life {
  readonly log: string[] = [];
  readonly #rules: LivenessRules;
  #state = startLiveness(0);
  #now = 0;

  constructor(lifeRules = rules) {
    this.#rules = lifeRules;
  }

  get phase() {
    return this.#state.phase;
  }

  at(second: number, event: LivenessEvent): this {
    this.#now = second * SECOND;
    const [state, action] = stepLiveness(this.#state, event, this.#now, this.#rules);
    this.#state = state;
    if (action !== undefined) this.log.push(`${second} s: ${words(action)}`);
    return this;
  }

  answers(second: number, isReady = true): this {
    return this.at(second, { kind: "answered", isReady });
  }

  /** Answers every probe until `second`, with a look at the process each time. */
  answersUntil(second: number, isReady = true): this {
    return this.#probes(second, (at) =>
      this.answers(at, isReady).at(at, { kind: "looked", process: "idle" }),
    );
  }

  /** Answers nothing until `second`; every probe's time a look, that finds the process as told. */
  silentUntil(second: number, process: Process): this {
    return this.#probes(second, (at) => this.at(at, { kind: "looked", process }));
  }

  /** The judge did not run until `second`. */
  judgeStallsUntil(second: number): this {
    return this.at(second, { kind: "judge-stalled", ms: second * SECOND - this.#now });
  }

  #probes(until: number, each: (second: number) => void): this {
    for (let ms = this.#now + PROBE_MS; ms <= until * SECOND; ms += PROBE_MS) each(ms / SECOND);
    this.#now = until * SECOND;
    return this;
  }
}

function words(action: LivenessAction): string {
  if (action.kind === "trouble") return `${action.trouble}, silent for ${action.silentMs / SECOND} s`;
  return action.kind === "restart" ? `restart: ${action.why}` : action.kind;
}

// OpenClaw restarts in its own process: the listener goes, the process stays
it("a gateway that stops listening is not ready, and judged as silent from its last answer on", () => {
  const life = new Life();
  life.at(1, { kind: "answered", isReady: true }).at(2, { kind: "refused" });
  assert.equal(life.phase, "starting");
  life.at(3, { kind: "refused" }).at(4, { kind: "answered", isReady: true });
  assert.equal(life.phase, "ready");
  // a close that takes its time is no hang: clients, and whoever wants to end it, go by that
  life.at(5, { kind: "refused" }).at(20, { kind: "looked", process: "idle" });
  assert.equal(life.phase, "starting");
  assert.doesNotMatch(life.log.join(), /trouble/);
  life.at(4 + rules.hangRestartMs / SECOND, { kind: "looked", process: "idle" });
  assert.match(life.log.at(-1) ?? "", /restart/);
});

it("a gateway that hangs and then stops listening does something, after all", () => {
  const life = new Life();
  life.at(1, { kind: "answered", isReady: true }).at(12, { kind: "looked", process: "busy" });
  assert.equal(life.phase, "trouble");
  life.at(13, { kind: "refused" });
  assert.equal(life.phase, "starting");
});

describe("a stopped gateway (SIGSTOP)", () => {
  it("is noticed within 15 s and restarted", () => {
    const { log } = new Life().answersUntil(100).silentUntil(110, "stopped");
    assert.deepEqual(log, [
      "2.5 s: ready",
      "110 s: restart: process was stopped (SIGSTOP), no answer for 10 s",
    ]);
  });

  it("is noticed within 15 s wherever between two probes it stopped, also by a patient judge", () => {
    for (let stoppedAt = 100; stoppedAt <= 102.5; stoppedAt += 0.1) {
      const life = new Life(patient).answers(1).answers(stoppedAt);
      let restartedAt = Number.POSITIVE_INFINITY;
      for (let second = 102.5; second <= 130; second += 2.5) {
        life.at(second, { kind: "looked", process: "stopped" });
        if (life.log.length > 1) restartedAt = Math.min(restartedAt, second);
      }
      assert.ok(restartedAt - stoppedAt <= 15, `stopped at ${stoppedAt} s, restarted at ${restartedAt} s`);
    }
  });

  it("that was in trouble before is restarted at once", () => {
    const { log } = new Life().answers(0).silentUntil(10, "busy").silentUntil(12.5, "stopped");
    assert.deepEqual(log, [
      "0 s: ready",
      "10 s: busy, silent for 10 s",
      "12.5 s: restart: process was stopped (SIGSTOP), no answer for 13 s",
    ]);
  });

  it("that goes on within a moment (a debugger's breath) is left alone", () => {
    const { log } = new Life().answersUntil(100).silentUntil(107.5, "stopped").answersUntil(200);
    assert.deepEqual(log, ["2.5 s: ready"]);
  });
});

describe("a busy gateway", () => {
  it("that burns CPU for 20 s and recovers is in trouble, and is not restarted", () => {
    const { log } = new Life().answersUntil(100).silentUntil(120, "busy").answersUntil(150);
    assert.deepEqual(log, ["2.5 s: ready", "110 s: busy, silent for 10 s", "122.5 s: ready"]);
  });

  it("is in trouble until it answers", () => {
    const life = new Life().answersUntil(100).silentUntil(120, "busy");
    assert.equal(life.phase, "trouble");
  });

  it("that never answers again is restarted after 30 s of silence", () => {
    const { log } = new Life().answersUntil(100).silentUntil(130, "busy");
    assert.deepEqual(log.slice(1), [
      "110 s: busy, silent for 10 s",
      "130 s: restart: hung (burning CPU), no answer for 30 s",
    ]);
  });

  it("of OpenClaw has 330 s", () => {
    const { log } = new Life(patient).answersUntil(100).silentUntil(430, "busy");
    assert.deepEqual(log.slice(1), [
      "110 s: busy, silent for 10 s",
      "430 s: restart: hung (burning CPU), no answer for 330 s",
    ]);
  });

  it("that answers something else than ready lives: any answer is life", () => {
    const { log } = new Life().answersUntil(100).silentUntil(120, "busy").answersUntil(400, false);
    assert.deepEqual(log.slice(1), ["110 s: busy, silent for 10 s", "122.5 s: not-ready"]);
  });
});

describe("a silent gateway with idle CPU", () => {
  it("is in trouble, and restarted after 30 s of silence", () => {
    const { log } = new Life().answersUntil(100).silentUntil(130, "idle");
    assert.deepEqual(log.slice(1), [
      "110 s: silent, silent for 10 s",
      "130 s: restart: hung (idle), no answer for 30 s",
    ]);
  });

  it("is not restarted a moment earlier", () => {
    const life = new Life().answers(100).at(129.999, { kind: "looked", process: "idle" });
    assert.ok(!life.log.some((line) => line.includes("restart")));
  });

  it("that begins to burn CPU is told once more, as busy", () => {
    const { log } = new Life().answersUntil(100).silentUntil(115, "idle").silentUntil(125, "busy");
    assert.deepEqual(log.slice(1), ["110 s: silent, silent for 10 s", "117.5 s: busy, silent for 17.5 s"]);
  });

  it("is not in trouble before the notice is over", () => {
    const life = new Life().answers(0).at(NOTICE_MS / SECOND - 0.001, { kind: "looked", process: "idle" });
    assert.equal(life.phase, "ready");
  });

  it("is in trouble as soon as the notice is over", () => {
    const life = new Life().answers(0).at(NOTICE_MS / SECOND, { kind: "looked", process: "idle" });
    assert.equal(life.phase, "trouble");
  });
});

describe("before its first readiness", () => {
  const processes: Process[] = ["idle", "busy", "stopped"];
  for (const process of processes) {
    it(`only the start timeout counts: silent and ${process} for 57.5 s is nothing`, () => {
      assert.deepEqual(new Life().silentUntil(57.5, process).log, []);
    });

    it(`only the start timeout counts: silent and ${process} for 60 s is a restart`, () => {
      assert.deepEqual(new Life().silentUntil(60, process).log, [
        "60 s: restart: not ready 60 s after its start",
      ]);
    });
  }

  it("an answer that is not ready does not extend the start timeout", () => {
    assert.deepEqual(new Life().answersUntil(60, false).log, [
      "60 s: restart: not ready 60 s after its start",
    ]);
  });

  it("OpenClaw has 300 s", () => {
    assert.deepEqual(new Life(patient).silentUntil(300, "busy").log, [
      "300 s: restart: not ready 300 s after its start",
    ]);
  });

  it("a gateway that becomes ready in time is not restarted", () => {
    assert.deepEqual(new Life().silentUntil(55, "busy").answersUntil(300).log, ["57.5 s: ready"]);
  });
});

describe("after its first readiness", () => {
  it("the start timeout no longer counts", () => {
    const { log } = new Life().answersUntil(10).answersUntil(500, false);
    assert.deepEqual(log, ["2.5 s: ready", "12.5 s: not-ready"]);
  });

  it("readiness that comes and goes is told each time, once", () => {
    const { log } = new Life().answersUntil(5).answersUntil(10, false).answersUntil(15);
    assert.deepEqual(log, ["2.5 s: ready", "7.5 s: not-ready", "12.5 s: ready"]);
  });

  it("a gateway that was not ready and then falls silent is in trouble like any other", () => {
    const { log } = new Life().answersUntil(5).answersUntil(50, false).silentUntil(60, "idle");
    assert.equal(log.at(-1), "60 s: silent, silent for 10 s");
  });
});

describe("the judge's own stalls", () => {
  it("of 40 s are nothing, whatever the next looks find", () => {
    const processes: Process[] = ["idle", "busy", "stopped"];
    for (const process of processes) {
      const { log } = new Life().answersUntil(100).judgeStallsUntil(140).silentUntil(147.5, process);
      assert.deepEqual(log, ["2.5 s: ready"], process);
    }
  });

  it("do not hide a gateway that stays silent behind them", () => {
    const { log } = new Life().answersUntil(100).judgeStallsUntil(140).silentUntil(170, "idle");
    assert.deepEqual(log.slice(1), [
      "150 s: silent, silent for 10 s",
      "170 s: restart: hung (idle), no answer for 30 s",
    ]);
  });

  it("do not take away silence that came before them", () => {
    const { log } = new Life()
      .answersUntil(100)
      .silentUntil(107.5, "idle")
      .judgeStallsUntil(147.5)
      .silentUntil(150, "idle");
    assert.deepEqual(log.slice(1), ["150 s: silent, silent for 10 s"]);
  });

  it("do not count against a gateway that starts", () => {
    const { log } = new Life().silentUntil(30, "busy").judgeStallsUntil(70).silentUntil(97.5, "busy");
    assert.deepEqual(log, []);
  });

  it("count for nothing at the start timeout either", () => {
    const { log } = new Life().silentUntil(30, "busy").judgeStallsUntil(70).silentUntil(100, "busy");
    assert.deepEqual(log, ["100 s: restart: not ready 60 s after its start"]);
  });

  it("that are over-measured give no credit for the future", () => {
    const life = new Life().answers(0).at(10, { kind: "judge-stalled", ms: 60 * SECOND });
    life.at(18, { kind: "looked", process: "idle" });
    assert.equal(life.phase, "trouble");
  });
});

describe("whatever happens", () => {
  const events = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 5_000 }),
      event: fc.oneof(
        fc.record({ kind: fc.constant("answered" as const), isReady: fc.boolean() }),
        fc.record({
          kind: fc.constant("looked" as const),
          process: fc.constantFrom<Process>("stopped", "busy", "idle"),
        }),
      ),
    }),
    { maxLength: 100 },
  );

  it("a gateway that answered within the notice is not restarted once it was ready", () => {
    fc.assert(
      fc.property(events, (happened) => {
        let [state] = stepLiveness(startLiveness(0), { kind: "answered", isReady: true }, 0, rules);
        let now = 0;
        let answeredAt = 0;
        for (const { afterMs, event } of happened) {
          now += afterMs;
          if (event.kind === "answered") answeredAt = now;
          const [next, action] = stepLiveness(state, event, now, rules);
          state = next;
          if (now - answeredAt < NOTICE_MS) assert.notEqual(action?.kind, "restart");
        }
      }),
    );
  });

  it("it is ready exactly when its last answer said so and no trouble came since", () => {
    fc.assert(
      fc.property(events, (happened) => {
        let state = startLiveness(0);
        let now = 0;
        let expected = "starting";
        for (const { afterMs, event } of happened) {
          now += afterMs;
          const [next, action] = stepLiveness(state, event, now, rules);
          state = next;
          if (event.kind === "answered") expected = event.isReady ? "ready" : "starting";
          if (action?.kind === "trouble") expected = "trouble";
          assert.equal(state.phase, expected);
        }
      }),
    );
  });
});
