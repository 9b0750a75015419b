import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { closeCodes } from "../core/close-codes.ts";
import { delayOf } from "./backoff.ts";
import { ANSWER_MS, Life, LOOK_MS } from "./life.ts";
import { Outbox } from "./outbox.ts";
import { isNumbered } from "./talk.ts";
import { verdictOf } from "./verdict.ts";

describe("what to do about a close code", () => {
  for (const { code, retry } of closeCodes) {
    it(`is as docs/close-codes.md says: ${code} ${retry}`, () => {
      assert.equal(verdictOf(code, "").retry, retry);
    });
  }

  it("is to come back behind 1000 where no hello was heard", () => {
    assert.deepEqual(verdictOf(1000, "", true), { retry: "later" });
    assert.deepEqual(verdictOf(1008, "unauthorized", true), { retry: "never" });
  });

  for (const [code, reason, expected] of [
    [1006, "", { retry: "now" }],
    [1012, "gateway restarting (killed by SIGKILL), reconnect now", { retry: "now" }],
    [1012, "gateway stopped by its operator", { retry: "later" }],
    [1012, "gateway ended (refused to start, exit code 78), it is not started again", { retry: "later" }],
    [1013, "too many connections, try again in 1500 ms", { retry: "later", afterMs: 1_500 }],
    [1013, "gateway is away, try again after 10 s", { retry: "later", afterMs: 10_000 }],
    [1008, "try again in 5 s", { retry: "never" }],
    [1008, "slow consumer", { retry: "later" }],
  ] as const) {
    it(`follows the reason: ${code} ${reason}`, () => assert.deepEqual(verdictOf(code, reason), expected));
  }
});

describe("the time until the next try", () => {
  it("is short behind a connection that held, then spread over a span that doubles up to 30 s", () => {
    const longest = [0, 1, 2, 3, 7, 50].map((failed) => delayOf(failed, { retry: "now" }, () => 1));
    assert.deepEqual(longest, [200, 500, 1_000, 2_000, 30_000, 30_000]);
    assert.equal(
      delayOf(50, { retry: "now" }, () => 0),
      0,
    );
  });

  it("is never shorter than the server asks for", () => {
    assert.equal(
      delayOf(0, { retry: "later", afterMs: 1_500 }, () => 0),
      1_500,
    );
    assert.equal(
      delayOf(0, { retry: "later" }, () => 0),
      5_000,
    );
  });
});

describe("a connection that is looked at", () => {
  const life = () => {
    const one = new Life(0);
    let now = 0;
    const look = (later = LOOK_MS) => {
      now += later;
      return one.look(now, 20_000);
    };
    return { one, look, now: () => now };
  };

  it("is asked when it is silent for unusually long, and gone without an answer", () => {
    const { one, look, now } = life();
    assert.deepEqual([look(), look(), look(), look()], ["fine", "fine", "fine", "ask"]);
    one.asked(now());
    assert.ok(ANSWER_MS <= LOOK_MS);
    assert.equal(look(), "gone");
  });

  it("is fine once it was heard", () => {
    const { one, look, now } = life();
    for (let i = 0; i < 4; i++) look();
    one.asked(now());
    one.heard(now());
    assert.equal(look(), "fine");
  });

  it("is asked again behind a jump of the clock: the answer may have waited", () => {
    const { one, look, now } = life();
    one.asked(now());
    assert.equal(look(3_600_000), "ask");
  });

  // for as long as the step the answer was never due, and the silence negative
  it("is asked again behind a clock that is set back, and gone without an answer", () => {
    const { one, look, now } = life();
    one.heard(now() + LOOK_MS);
    look(LOOK_MS);
    one.asked(now());
    assert.equal(look(-3_600_000), "ask");
    one.asked(now());
    assert.equal(look(), "gone");
  });

  it("is silent from then on where the clock is set back and it cannot be asked", () => {
    const { one, look, now } = life();
    assert.equal(look(-3_600_000), "ask");
    assert.equal(one.isSilent(now(), 20_000), false);
    assert.deepEqual([look(), look(), look(), look()], ["fine", "fine", "fine", "ask"]);
  });

  it("is gone when no answer came between late looks, as a hidden page has them", () => {
    const { one, look, now } = life();
    const asked = () => {
      const finding = look(60_000);
      one.asked(now());
      return finding;
    };
    assert.deepEqual([asked(), asked(), asked()], ["ask", "ask", "gone"]);
  });

  it("is not gone because looks are late where it cannot be asked", () => {
    const { look } = life();
    for (let i = 0; i < 10; i++) assert.equal(look(60_000), "ask");
  });
});

test("an outbox sends again, once, in order and before what waits, what the server does not have", () => {
  const outbox = new Outbox();
  for (const text of ["1", "2", "3"]) outbox.add(text);
  const take = () => outbox.take(true);
  assert.deepEqual([take(), take(), take()], ["1", "2", "3"]);
  outbox.add("4");
  outbox.confirm(1);
  outbox.resume(2);
  assert.deepEqual([take(), take(), take()], ["3", "4", undefined]);
  assert.equal(outbox.waitingBytes, 0);
  assert.deepEqual(outbox.startOver(), ["3", "4"]);
});

test("an outbox passes on a long list at once, and takes it back", () => {
  const outbox = new Outbox();
  const startedAt = performance.now();
  for (let i = 0; i < 300_000; i++) outbox.add(`message ${i}`);
  while (outbox.take(true) !== undefined);
  outbox.resume(100_000);
  assert.equal(outbox.take(true), "message 100000");
  while (outbox.take(true) !== undefined);
  outbox.confirm(300_000);
  assert.deepEqual([outbox.waitingBytes, outbox.bytes], [0, 0]);
  assert.ok(performance.now() - startedAt < 5_000);
});

test("an outbox hears of no confirmation of what was not written", () => {
  const outbox = new Outbox();
  outbox.wrote("1");
  for (const n of [2, -1, Number.NaN]) outbox.confirm(n);
  assert.deepEqual(outbox.startOver(), ["1"]);
});

test("an event without a number is the edge's own", () => {
  assert.equal(isNumbered('{"type":"event","event":"tick","payload":{"ts":1}}'), false);
  assert.equal(isNumbered('{"type":"event","event":"tick","payload":{"ts":1},"seq":7}'), true);
  assert.equal(isNumbered('{"type":"res","id":"1","ok":true}'), true);
});
