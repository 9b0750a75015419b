import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { IncidentNews } from "../core/messages.ts";
import type { RecorderEvent } from "../core/records.ts";
import { Recorder } from "./recorder.ts";
import type { FromThread, ToThread } from "./recorder-thread.ts";

const BATCH_MS = 100;
const MAX_QUEUED = 50_000;

describe("a recorder", () => {
  test("hands nothing on at once: events of a moment go together", (t) => {
    const { recorder, batches, tick } = start(t);
    recorder.record(event(1));
    tick(BATCH_MS - 1);
    recorder.record(event(2));
    assert.deepEqual(batches(), []);
    tick(1);
    assert.deepEqual(batches(), [[1, 2]]);
  });

  test("that is told nothing posts nothing", (t) => {
    const { posted, tick } = start(t);
    tick(10 * BATCH_MS);
    assert.deepEqual(posted, []);
  });

  test("has two batches unanswered at most", (t) => {
    const { recorder, batches, tick } = start(t);
    for (const at of [1, 2, 3, 4]) {
      recorder.record(event(at));
      tick(BATCH_MS);
    }
    assert.deepEqual(batches(), [[1], [2]]);
  });

  test("hands on what waited when one is answered, in one batch", (t) => {
    const { recorder, batches, tick, answer } = start(t);
    for (const at of [1, 2, 3, 4]) {
      recorder.record(event(at));
      tick(BATCH_MS);
    }
    answer({ type: "done", written: 1, lost: 0 });
    tick(BATCH_MS);
    assert.deepEqual(batches(), [[1], [2], [3, 4]]);
  });

  test("waits for the batch's time after an answer too", (t) => {
    const { recorder, batches, tick, answer } = start(t);
    for (const at of [1, 2, 3]) {
      recorder.record(event(at));
      tick(BATCH_MS);
    }
    answer({ type: "done", written: 1, lost: 0 });
    tick(BATCH_MS - 1);
    assert.deepEqual(batches(), [[1], [2]]);
  });

  test("counts what is queued here and there, and what is written", (t) => {
    const { recorder, tick, answer } = start(t);
    for (const at of [1, 2]) recorder.record(event(at));
    tick(BATCH_MS);
    recorder.record(event(3));
    assert.deepEqual(recorder.stats, { queued: 3, written: 0, dropped: 0 });
    answer({ type: "done", written: 2, lost: 0 });
    assert.deepEqual(recorder.stats, { queued: 1, written: 2, dropped: 0 });
  });

  test("counts what its thread lost as dropped", (t) => {
    const { recorder, tick, answer } = start(t);
    for (const at of [1, 2]) recorder.record(event(at));
    tick(BATCH_MS);
    answer({ type: "done", written: 0, lost: 2 });
    assert.deepEqual(recorder.stats, { queued: 0, written: 0, dropped: 2 });
  });

  test("drops and counts what finds no room", (t) => {
    const { recorder } = start(t);
    for (let at = 0; at < MAX_QUEUED + 3; at++) recorder.record(event(at));
    assert.deepEqual(recorder.stats, { queued: MAX_QUEUED, written: 0, dropped: 3 });
  });

  test("hands on at most 1,000 events at once: copying them takes the relay's time", (t) => {
    const { recorder, batches, tick } = start(t);
    for (let at = 0; at < 5_000; at++) recorder.record(event(at));
    tick(BATCH_MS);
    assert.deepEqual(
      batches().map((batch) => [batch.length, batch.at(0), batch.at(-1)]),
      [
        [1_000, 0, 999],
        [1_000, 1_000, 1_999],
      ],
    );
  });

  test("has room again when a batch went", (t) => {
    const { recorder, tick } = start(t);
    for (let at = 0; at < MAX_QUEUED; at++) recorder.record(event(at));
    tick(BATCH_MS);
    recorder.record(event(1));
    assert.equal(recorder.stats.dropped, 0);
  });

  test("logs what its thread announces, and hands incidents on", (t) => {
    const { logged, incidents, answer } = start(t);
    answer({ type: "announcement", text: "no disk" });
    const news = { type: "incident", change: "opened", incident: { id: "i-1" } as IncidentNews } as const;
    answer(news);
    assert.deepEqual(logged, ["no disk"]);
    assert.deepEqual(incidents, [news]);
  });
});

describe("a recorder that is closed", () => {
  test("hands on what is queued, and then the word to close", async (t) => {
    const { recorder, posted, batches, answer } = start(t);
    recorder.record(event(1));
    const closed = recorder.close();
    assert.deepEqual(batches(), [[1]]);
    assert.deepEqual(posted.at(-1), { type: "close" });
    answer({ type: "closed" });
    await closed;
  });

  test("hands it on although two batches are unanswered", async (t) => {
    const { recorder, batches, tick, answer } = start(t);
    for (const at of [1, 2, 3]) {
      recorder.record(event(at));
      tick(BATCH_MS);
    }
    const closed = recorder.close();
    assert.deepEqual(batches(), [[1], [2], [3]]);
    answer({ type: "closed" });
    await closed;
  });

  test("with nothing queued says only that", async (t) => {
    const { recorder, posted, answer } = start(t);
    const closed = recorder.close();
    assert.deepEqual(posted, [{ type: "close" }]);
    answer({ type: "closed" });
    await closed;
  });

  test("waits for its thread for a second at most", async (t) => {
    const { recorder, tick } = start(t);
    let isClosed = false;
    const closed = recorder.close().then(() => {
      isClosed = true;
    });
    tick(999);
    await Promise.resolve();
    assert.equal(isClosed, false);
    tick(1);
    await closed;
  });
});

/** A recorder whose thread answers when the test says so; its timers are the test's. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const posted: ToThread[] = [];
  const logged: string[] = [];
  const incidents: object[] = [];
  let answer: (message: FromThread) => void = () => assert.fail("the recorder does not listen");
  const recorder = new Recorder({
    post: (message) => posted.push(message),
    onMessage: (listen) => {
      answer = listen;
    },
    log: (text) => logged.push(text),
    onIncident: (news) => incidents.push(news),
  });
  return {
    recorder,
    posted,
    logged,
    incidents,
    tick: (ms: number) => t.mock.timers.tick(ms),
    answer: (message: FromThread) => answer(message),
    batches: () => posted.flatMap((message) => (message.type === "events" ? [message.events.map(atOf)] : [])),
  };
}

function event(at: number): RecorderEvent {
  return { type: "runs-changed", at };
}

function atOf(event: RecorderEvent): number | undefined {
  return event.type === "runs-changed" ? event.at : undefined;
}
