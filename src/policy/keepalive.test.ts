import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  forgiveStall,
  type KeepaliveAction,
  type KeepaliveInput,
  type KeepaliveRules,
  startKeepalive,
  stepKeepalive,
} from "./keepalive.ts";

const SECOND = 1000;
const MB = 1_000_000;
/** The slowest reader we promise to keep. */
const SLOW_BYTES_PER_SECOND = 256_000;

const rules: KeepaliveRules = { intervalMs: 20 * SECOND, timeoutMs: 10 * SECOND };
/** No jitter. */
const middle = () => 0.5;

const quiet = { heard: false, bytesWritten: 0, readingPaused: false };

/** What happens to the link in the second that ends at `second`. */
type Script = (second: number) => Partial<KeepaliveInput>;

/** Looks every second, as the edge does, and writes down what is done, until the client is given up. */
function trace(seconds: number, script: Script, start = 0): string[] {
  const state = startKeepalive(start, rules, middle);
  const lines: string[] = [];
  for (let second = 1; second <= seconds; second++) {
    const now = start + second * SECOND;
    const action = stepKeepalive(state, { ...quiet, now, ...script(second) }, middle);
    if (action !== "none" && action !== "answered") lines.push(`${second} s: ${action}`);
    if (action === "unreachable") break;
  }
  return lines;
}

const silent: Script = () => ({});

describe("a dead client", () => {
  it("is pinged after the interval and unreachable after the timeout", () => {
    assert.deepEqual(trace(100, silent), ["20 s: ping", "30 s: unreachable"]);
  });

  it("is so whatever the clock says at the start", () => {
    assert.deepEqual(trace(100, silent, 123_456_789), ["20 s: ping", "30 s: unreachable"]);
  });

  it("that had lived is unreachable one interval and one timeout after its last pong", () => {
    const pongUntil50 = (second: number) => ({ heard: second === 21 || second === 42 });
    assert.deepEqual(trace(200, pongUntil50), [
      "20 s: ping",
      "41 s: ping",
      "62 s: ping",
      "72 s: unreachable",
    ]);
  });

  it("is not pinged twice", () => {
    const pings = trace(100, silent).filter((line) => line.endsWith("ping"));
    assert.equal(pings.length, 1);
  });

  it("to which data was still written is found, when that could have been read at the slowest rate", () => {
    // 640 kB at 64 bytes per ms take 10 s: at most that much later than without them
    const script = (second: number) => ({ bytesWritten: second >= 15 ? 640_000 : 0 });
    const last = trace(100, script).at(-1)!;
    assert.match(last, /^(3\d|40) s: unreachable$/);
  });
});

describe("a living client", () => {
  it("is pinged once per interval, counted from its pong", () => {
    const answersNextSecond = (second: number) => ({ heard: second % 21 === 0 });
    assert.deepEqual(trace(65, answersNextSecond), ["20 s: ping", "41 s: ping", "62 s: ping"]);
  });

  it("lives by any byte: no pong is needed", () => {
    const talks = (second: number) => ({ heard: second === 29 });
    assert.deepEqual(trace(45, talks), ["20 s: ping"]);
  });

  it("is pinged also while it talks: a ping proves the way there, too", () => {
    assert.deepEqual(
      trace(21, () => ({ heard: true })),
      ["20 s: ping"],
    );
  });

  it("may answer in the last moment", () => {
    const answersAt29 = (second: number) => ({ heard: second === 29 });
    assert.ok(!trace(48, answersAt29).includes("30 s: unreachable"));
  });
});

describe("a slow client is not a dead one", () => {
  it("5 MB queued, read at 256 KB/s, pong after 20 s: never unreachable", () => {
    const queued = 5 * MB;
    const readEverything = 20 + Math.ceil(queued / SLOW_BYTES_PER_SECOND);
    const script = (second: number) => ({
      bytesWritten: second >= 19 ? queued : 0,
      heard: second === readEverything,
    });
    assert.deepEqual(trace(59, script), ["20 s: ping"]);
  });

  // It asked for 5 MB, and asked for something else while they were queued: the pong is still behind all of them.
  it("5 MB queued, heard once since, pong after 20 s: never unreachable", () => {
    const queued = 5 * MB;
    const readEverything = 18 + Math.ceil(queued / SLOW_BYTES_PER_SECOND);
    const script = (second: number) => ({
      bytesWritten: second >= 18 ? queued : 0,
      heard: second === 19 || second === readEverything,
    });
    assert.deepEqual(trace(37, script), ["20 s: ping"]);
  });

  it("whatever is written to it and whenever it talks, a reader at 256 KB/s is never unreachable", () => {
    const burst = fc.oneof(
      { weight: 12, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat(10 * MB) },
    );
    const talks = fc.nat(15).map((n) => n === 1);
    const seconds = fc.array(fc.record({ written: burst, talks }), { minLength: 60, maxLength: 200 });
    fc.assert(
      fc.property(seconds, (script) => {
        const state = startKeepalive(0, rules, middle);
        let bytesWritten = 0;
        let bytesRead = 0;
        /** Where in the stream the client finds our pings. */
        let pings: number[] = [];
        for (const [i, { written, talks }] of script.entries()) {
          bytesRead = Math.min(bytesWritten, bytesRead + SLOW_BYTES_PER_SECOND);
          const hasPong = pings.some((at) => at <= bytesRead);
          pings = pings.filter((at) => at > bytesRead);
          bytesWritten += written;
          const input = {
            now: (i + 1) * SECOND,
            heard: hasPong || talks,
            bytesWritten,
            readingPaused: false,
          };
          const action = stepKeepalive(state, input, middle);
          assert.notEqual(action, "unreachable", `at ${i + 1} s, ${bytesWritten - bytesRead} bytes behind`);
          if (action === "ping") pings.push(bytesWritten);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("while we do not read the client", () => {
  it("its pong cannot reach us: it is never unreachable", () => {
    const actions = trace(300, (second) => ({ readingPaused: second > 20 }));
    assert.ok(!actions.some((line) => line.endsWith("unreachable")));
  });

  it("the ping that was under way is forgotten, and the next one comes an interval after reading went on", () => {
    const script = (second: number) => ({ readingPaused: second > 20 && second <= 100 });
    const after = trace(150, script).filter((line) => Number.parseInt(line, 10) > 100);
    // pings go on while paused; the last one, at 83 s, is forgotten at 84 s
    assert.deepEqual(after, ["104 s: ping", "114 s: unreachable"]);
  });
});

describe("forgiveStall", () => {
  function pinged() {
    const state = startKeepalive(0, rules, middle);
    assert.equal(stepKeepalive(state, { ...quiet, now: 20 * SECOND }, middle), "ping");
    return state;
  }
  const look = (state: ReturnType<typeof pinged>, second: number): KeepaliveAction =>
    stepKeepalive(state, { ...quiet, now: second * SECOND }, middle);

  it("gives the client the time that the edge itself was stopped", () => {
    const state = pinged();
    forgiveStall(state, 40 * SECOND);
    assert.equal(look(state, 61), "none");
  });

  it("gives no more than that", () => {
    const state = pinged();
    forgiveStall(state, 40 * SECOND);
    assert.equal(look(state, 69), "none");
    assert.equal(look(state, 70), "unreachable");
  });

  it("changes nothing when no ping is under way", () => {
    const state = startKeepalive(0, rules, middle);
    forgiveStall(state, 5 * SECOND);
    assert.equal(look(state, 19), "none");
    assert.equal(look(state, 20), "ping");
    assert.equal(look(state, 30), "unreachable");
  });
});

describe("the jitter", () => {
  const firstPingAt = (random: () => number) => startKeepalive(0, rules, random).nextPingAt;

  it("is 10 % down at most", () =>
    assert.equal(
      firstPingAt(() => 0),
      18 * SECOND,
    ));
  it("is 10 % up at most", () =>
    assert.equal(
      firstPingAt(() => 1),
      22 * SECOND,
    ));

  it("is drawn anew for every interval", () => {
    const draws = [0, 1];
    const state = startKeepalive(0, rules, () => draws.shift()!);
    stepKeepalive(state, { ...quiet, now: 18 * SECOND }, () => 0.5);
    stepKeepalive(state, { ...quiet, now: 19 * SECOND, heard: true }, () => draws.shift()!);
    assert.equal(state.nextPingAt, 41 * SECOND);
  });
});
