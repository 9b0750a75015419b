import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasRoom, type MemoryLook, memoryTrouble } from "./memory.ts";

const LIMIT = 1_000;

function heap(...used: number[]): MemoryLook[] {
  return used.map((usedBytes) => ({ heap: { usedBytes, limitBytes: LIMIT } }));
}

function cgroup(...used: number[]): MemoryLook[] {
  return used.map((usageBytes) => ({ cgroup: { usageBytes, limitBytes: LIMIT } }));
}

describe("a process that will run out of memory", () => {
  test("is told by three looks in a row at 90 % of V8's heap", () => {
    assert.equal(
      memoryTrouble(heap(900, 910, 955)),
      "V8 heap at 96 % of its limit (supervisor.memoryRestart)",
    );
  });

  test("is told by three looks in a row at 90 % of its cgroup", () => {
    assert.equal(
      memoryTrouble(cgroup(950, 990, 1_000)),
      "cgroup memory at 100 % of its limit (supervisor.memoryRestart)",
    );
  });

  test("may have been small before", () => {
    assert.match(memoryTrouble(heap(10, 20, 900, 900, 900)) ?? "", /^V8 heap at 90 %/);
  });

  test("is told by its heap first, if both are full", () => {
    const looks = heap(950, 950, 950).map((look, i) => ({ ...look, ...cgroup(990, 990, 990)[i] }));
    assert.match(memoryTrouble(looks) ?? "", /^V8 heap at 95 %/);
  });
});

describe("a process is left alone", () => {
  const cases: Record<string, readonly MemoryLook[]> = {
    "without a look": [],
    "after two looks": heap(999, 999),
    "just below 90 %": heap(899, 899, 899),
    "when a collection freed memory in between": heap(950, 500, 950),
    "when the last look is fine": heap(950, 950, 950, 100),
    "when half of the looks are of one limit, half of the other": [
      ...heap(950),
      ...cgroup(950),
      ...heap(950),
    ],
    "when nothing is known": [{}, {}, {}],
    "when only the usage is known": [1, 2, 3].map(() => ({ cgroup: { usageBytes: 10 ** 12 } })),
    "when only the limit is known": [1, 2, 3].map(() => ({ cgroup: { limitBytes: 1 } })),
    "when the limit is 0, which is none": [1, 2, 3].map(() => ({ heap: { usedBytes: 1, limitBytes: 0 } })),
  };
  for (const [when, looks] of Object.entries(cases)) {
    test(when, () => assert.equal(memoryTrouble(looks), undefined));
  }
});

describe("another process finds room", () => {
  const MB = 1024 * 1024;

  test("in a cgroup that has as much left as a gateway takes", () => {
    assert.equal(hasRoom({ usageBytes: 352 * MB, limitBytes: 512 * MB }, 0), true);
    assert.equal(hasRoom({ usageBytes: 353 * MB, limitBytes: 512 * MB }, 0), false);
    assert.equal(hasRoom({ usageBytes: 252 * MB, limitBytes: 512 * MB }, 2), true);
    assert.equal(hasRoom({ usageBytes: 253 * MB, limitBytes: 512 * MB }, 2), false);
  });

  test("where nothing limits it, as far as one can see", () => {
    assert.equal(hasRoom(undefined, 9), true);
    assert.equal(hasRoom({ usageBytes: 353 * MB }, 9), true);
  });
});
