import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureLimit } from "./rate-limit.ts";

const SECOND = 1000;
const ADDRESS = "198.51.100.7";

/** A limit that has seen failures of `ADDRESS` at these seconds. */
function failedAt(...seconds: readonly number[]): FailureLimit {
  const limit = new FailureLimit();
  for (const second of seconds) limit.recordFailure(ADDRESS, second * SECOND);
  return limit;
}

const upTo = (count: number) => Array.from({ length: count }, (_, second) => second);

describe("an address", () => {
  it("nobody has seen is free", () => assert.equal(new FailureLimit().lockedForMs(ADDRESS, 0), 0));

  it("with 9 failures is free", () => assert.equal(failedAt(...upTo(9)).lockedForMs(ADDRESS, 9 * SECOND), 0));

  it("with 10 failures within a minute is locked out for 5 minutes", () => {
    assert.equal(failedAt(...upTo(10)).lockedForMs(ADDRESS, 9 * SECOND), 300 * SECOND);
  });

  it("is told how long the lockout still lasts", () => {
    assert.equal(failedAt(...upTo(10)).lockedForMs(ADDRESS, 109 * SECOND), 200 * SECOND);
  });

  it("is locked out until the last millisecond", () => {
    assert.equal(failedAt(...upTo(10)).lockedForMs(ADDRESS, 309 * SECOND - 1), 1);
  });

  it("is free again after it", () => {
    const limit = failedAt(...upTo(10));
    assert.deepEqual(
      [limit.lockedForMs(ADDRESS, 309 * SECOND), limit.lockedForMs(ADDRESS, 999 * SECOND)],
      [0, 0],
    );
  });

  it("has all its attempts again after a lockout", () => {
    const limit = failedAt(...upTo(10), ...upTo(9).map((second) => 310 + second));
    assert.equal(limit.lockedForMs(ADDRESS, 320 * SECOND), 0);
  });

  it("whose failures are more than a minute old begins anew", () => {
    assert.equal(failedAt(...upTo(9), 61).lockedForMs(ADDRESS, 61 * SECOND), 0);
  });

  it("whose tenth failure comes in the last second of the minute is locked out", () => {
    assert.ok(failedAt(...upTo(9), 60).lockedForMs(ADDRESS, 60 * SECOND) > 0);
  });

  // it was once counted from the first failure: nine before the minute's end and nine behind it were none too many
  it("with 10 failures within any minute is locked out, whenever the first was", () => {
    const nine = [0, ...upTo(8).map((second) => 55 + second), 66];
    assert.equal(failedAt(...nine).lockedForMs(ADDRESS, 66 * SECOND), 0);
    assert.equal(failedAt(...nine, 67).lockedForMs(ADDRESS, 67 * SECOND), 300 * SECOND);
  });

  it("that succeeded begins anew", () => {
    const limit = failedAt(...upTo(9));
    limit.recordSuccess(ADDRESS);
    limit.recordFailure(ADDRESS, 10 * SECOND);
    assert.equal(limit.lockedForMs(ADDRESS, 10 * SECOND), 0);
  });

  it("is not locked out for another one's failures", () => {
    assert.equal(failedAt(...upTo(10)).lockedForMs("198.51.100.8", 10 * SECOND), 0);
  });

  // An attempt may be under way when the lockout begins, and fail when the minute is over.
  it("is not let out early by one more failure", () => {
    const limit = failedAt(...upTo(10));
    limit.recordFailure(ADDRESS, 61 * SECOND);
    assert.ok(limit.lockedForMs(ADDRESS, 61 * SECOND) >= 248 * SECOND);
  });
});

describe("a flood of addresses", () => {
  const flood = (limit: FailureLimit, count: number, second: number) => {
    for (let i = 0; i < count; i++) limit.recordFailure(`flood-${i}`, second * SECOND);
  };

  it("does not make the table forget while there is room", () => {
    const limit = failedAt(...upTo(9));
    flood(limit, 9_999, 9);
    limit.recordFailure(ADDRESS, 9 * SECOND);
    assert.ok(limit.lockedForMs(ADDRESS, 9 * SECOND) > 0);
  });

  it("makes it forget the one that failed longest ago", () => {
    const limit = failedAt(...upTo(9));
    flood(limit, 10_000, 9);
    limit.recordFailure(ADDRESS, 9 * SECOND);
    assert.equal(limit.lockedForMs(ADDRESS, 9 * SECOND), 0);
  });

  it("does not make it forget one that failed since", () => {
    const limit = failedAt(...upTo(8));
    flood(limit, 9_999, 8);
    limit.recordFailure(ADDRESS, 8 * SECOND);
    limit.recordFailure("one more", 8 * SECOND);
    limit.recordFailure(ADDRESS, 9 * SECOND);
    assert.ok(limit.lockedForMs(ADDRESS, 9 * SECOND) > 0);
  });
});
