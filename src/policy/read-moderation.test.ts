import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startReadModeration, stepReadModeration } from "./read-moderation.ts";

/** The waits that turns of so many reads each get, one turn a millisecond. */
function waits(turns: readonly number[], moderation = startReadModeration(0)): number[] {
  return turns.map((reads, index) => stepReadModeration(moderation, index + 1, reads));
}

const turns = (count: number, reads: number) => Array<number>(count).fill(reads);

describe("the wait between two turns", () => {
  it("is none for a client that waits for each of its answers (20 reads a ms)", () => {
    assert.ok(waits(turns(100, 20)).every((wait) => wait === 0));
  });

  it("is none in the first 10 ms of a load", () => {
    assert.ok(waits(turns(9, 40)).every((wait) => wait === 0));
  });

  it("is a tenth of a millisecond once 30 small reads a ms came for 10 ms", () => {
    const moderation = startReadModeration(0);
    waits(turns(10, 30), moderation);
    assert.equal(stepReadModeration(moderation, 10.1, 3), 0.1);
  });

  it("is none behind a turn of 16 reads", () => {
    const moderation = startReadModeration(0);
    waits(turns(10, 30), moderation);
    assert.equal(stepReadModeration(moderation, 10.1, 15), 0.1);
    assert.equal(stepReadModeration(moderation, 10.2, 16), 0);
  });

  it("stays while at least 10 reads a ms come", () => {
    const moderation = startReadModeration(0);
    waits(turns(10, 30), moderation);
    for (let now = 11; now <= 100; now++) assert.equal(stepReadModeration(moderation, now, 10), 0.1);
  });

  it("ends within 10 ms when fewer come", () => {
    const moderation = startReadModeration(0);
    waits(turns(10, 30), moderation);
    for (let now = 11; now <= 20; now++) stepReadModeration(moderation, now, 9);
    assert.equal(stepReadModeration(moderation, 21, 9), 0);
  });

  it("forgets a load that is over when the next read comes an hour later", () => {
    const moderation = startReadModeration(0);
    waits(turns(10, 30), moderation);
    assert.equal(stepReadModeration(moderation, 3_600_000, 1), 0);
  });
});
