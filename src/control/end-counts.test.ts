import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndCount } from "../recorder/store.ts";
import { EndCounts } from "./end-counts.ts";

const HOUR_MS = 3_600_000;
const DAY = 24 * HOUR_MS;

/** A store in which one connection ended in every hour; `asked` has the begins of the spans it counted. */
function hourly() {
  const asked: number[] = [];
  const countEnds = ({ from, to }: { from: number; to: number }): EndCount[] => {
    asked.push(from / HOUR_MS);
    return [{ at: from, cause: "client-closed", count: Math.floor(to / HOUR_MS) - from / HOUR_MS + 1 }];
  };
  return { asked, countEnds };
}

test("what is over for an hour is counted once, and stays in the answer", () => {
  const counts = new EndCounts();
  const store = hourly();
  const first = counts.between(store, { from: 0, to: 5.5 * HOUR_MS, bucketMs: HOUR_MS });
  assert.deepEqual(store.asked.splice(0), [0, 1, 2, 3, 4, 5]);

  const second = counts.between(store, { from: 0, to: 5.6 * HOUR_MS, bucketMs: HOUR_MS });
  assert.deepEqual(store.asked.splice(0), [4, 5], "hour 4 ended half an hour ago");
  assert.deepEqual(second, first);

  const later = counts.between(store, { from: 2 * HOUR_MS, to: 7.5 * HOUR_MS, bucketMs: HOUR_MS });
  assert.deepEqual(store.asked, [4, 5, 6, 7]);
  assert.deepEqual(
    later.map(({ at }) => at / HOUR_MS),
    [2, 3, 4, 5, 6, 7],
  );
});

test("buckets of another length are others", () => {
  const counts = new EndCounts();
  const store = hourly();
  counts.between(store, { from: 0, to: 2 * DAY, bucketMs: HOUR_MS });
  store.asked.length = 0;
  const days = counts.between(store, { from: 0, to: 2 * DAY - 1, bucketMs: DAY });
  assert.deepEqual(store.asked, [0, 24]);
  assert.deepEqual(
    days.map(({ count }) => count),
    [24, 24],
  );
});
