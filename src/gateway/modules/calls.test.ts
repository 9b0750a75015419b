import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";
import { EncodedPayload, type MethodError } from "../frames.ts";
import { Calls } from "./calls.ts";
import type { Declared } from "./messages.ts";

const method: Declared = { name: "a.b", scope: "node", external: true, timeoutMs: 1_000 };
const DONE = new EncodedPayload("1");

describe("calls of a module", () => {
  let aborted: number[];
  let stuck: string[];
  let calls: Calls;

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    aborted = [];
    stuck = [];
    calls = new Calls({
      abort: (id) => aborted.push(id),
      onStuck: (why) => stuck.push(why),
      onTimeout: () => undefined,
    });
  });

  test("an answer is the caller's, and comes once", async () => {
    const { id, answer } = calls.begin(method, 10);
    calls.answer(id, DONE);
    assert.equal(await answer, DONE);
    assert.throws(() => calls.answer(id, DONE), /nobody asked for/);
  });

  test("at the time limit the client is told, and the module; its answer is then nobody's", async () => {
    const { id, answer } = calls.begin(method, 10);
    mock.timers.tick(1_000);
    const { shape } = await answer.then(
      () => assert.fail("it was answered"),
      (error: MethodError) => error,
    );
    assert.deepEqual(shape.details, { reason: "module-timeout" });
    assert.equal(shape.message, "a.b took longer than 1000 ms: it may have been done, or not");
    assert.deepEqual(aborted, [id]);
    calls.noteAborted(id);
    mock.timers.tick(60_000);
    calls.answer(id, DONE);
    assert.deepEqual(stuck, []);
  });

  test("a module that does not hear of it hangs", () => {
    calls.begin(method, 10).answer.catch(() => undefined);
    mock.timers.tick(1_000);
    mock.timers.tick(2_000);
    assert.deepEqual(stuck, ["it hung in a.b, or in what ran meanwhile"]);
  });

  test("17 calls that go on for ever are too many", () => {
    for (let n = 1; n <= 17; n++) {
      const { id, answer } = calls.begin(method, 10);
      answer.catch(() => undefined);
      mock.timers.tick(1_000);
      calls.noteAborted(id);
      assert.equal(stuck.length, n === 17 ? 1 : 0);
    }
  });

  test("one call may be as large as a message, many of them not", () => {
    const large = calls.begin(method, 100_000_000);
    assert.throws(() => calls.begin(method, 1), /a\.b: too many calls/);
    calls.answer(large.id, DONE);
    calls.begin(method, 1);
  });

  test("the module's end answers all, once", async () => {
    const { answer } = calls.begin(method, 10);
    const error = new Error("over") as unknown as MethodError;
    calls.failAll(() => error);
    await assert.rejects(answer, error);
    mock.timers.tick(60_000);
    assert.deepEqual([aborted, stuck], [[], []]);
  });
});
