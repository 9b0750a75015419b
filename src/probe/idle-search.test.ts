import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { likelyBoxes } from "./boxes.ts";
import { IdleSearch, recommendedKeepalive } from "./idle-search.ts";
import type { IdleEnd, IdleReport } from "./types.ts";

/** A path that ends connections which were silent for longer than `limitSec`. */
function pathWith(kind: Exclude<IdleReport["kind"], "none">, limitSec: number) {
  return (silentSec: number): IdleEnd => {
    if (silentSec <= limitSec) return { kind: "alive" };
    if (kind === "silent-drop") return { kind };
    if (kind === "close") return { kind, code: 1001, reason: "idle", afterSec: limitSec };
    return { kind, afterSec: limitSec };
  };
}

/** Runs a search against a path on a clock of its own; the seconds that a person would have waited. */
function searched(path: (silentSec: number) => IdleEnd, maxSec: number) {
  const search = new IdleSearch(maxSec);
  let waitedSec = 0;
  for (let round = search.next(); round !== undefined; round = search.next()) {
    for (const sec of round) {
      search.note(sec, path(sec));
      if (search.isDecided(round)) {
        waitedSec += sec;
        break;
      }
      if (sec === round.at(-1)) waitedSec += sec;
    }
  }
  return { search, waitedSec };
}

describe("a search for the idle limit", () => {
  for (const kind of ["silent-drop", "reset", "fin", "close"] as const) {
    for (const limitSec of [12, 20, 45, 60, 100, 240, 350, 600, 3_600]) {
      it(`finds ${limitSec} s by ${kind} within 10 % or 2 s, and does not wait for ever`, () => {
        const { search, waitedSec } = searched(pathWith(kind, limitSec), 2 * limitSec);
        const { limitSec: found, toleranceSec } = search.limit!;
        const allowed = Math.max(2, 0.1 * limitSec);
        assert.ok(Math.abs(found - limitSec) <= allowed, `found ${found}`);
        assert.ok(Math.abs(found - limitSec) <= toleranceSec + 1e-9, `${found} ± ${toleranceSec}`);
        assert.equal(search.bounds.end?.kind, kind);
        assert.ok(waitedSec <= 5 * limitSec, `waited ${waitedSec} s`);
        assert.ok(recommendedKeepalive(search.limit) < limitSec / 2);
      });
    }
  }

  it("says that there is none, after one round, if all survive", () => {
    const { search, waitedSec } = searched(() => ({ kind: "alive" }), 600);
    assert.deepEqual([search.limit, waitedSec, recommendedKeepalive(search.limit)], [undefined, 600, 20]);
  });

  it("believes the shorter limit where connections differ", () => {
    const search = new IdleSearch(100);
    search.next();
    search.note(75, { kind: "alive" });
    search.note(52, { kind: "silent-drop" });
    assert.deepEqual([search.bounds.aliveSec, search.bounds.deadSec, search.bounds.othersSec], [0, 52, 75]);
  });

  it("does not take an end of another kind, that comes later, for the limit", () => {
    const { search } = searched((silentSec): IdleEnd => {
      if (silentSec <= 12) return { kind: "alive" };
      if (silentSec <= 15) return { kind: "silent-drop" };
      return { kind: "close", code: 1000, reason: "", afterSec: 15 };
    }, 600);
    assert.ok(Math.abs(search.limit!.limitSec - 12) <= 1, `${search.limit!.limitSec}`);
    assert.equal(search.bounds.end?.kind, "silent-drop");
  });

  it("opens at most ten connections at once", () => {
    for (const maxSec of [5, 60, 600]) assert.ok(new IdleSearch(maxSec).next()!.length <= 10);
  });

  it("knows what it knows when it is stopped early", () => {
    const search = new IdleSearch(600);
    search.next();
    search.note(4, { kind: "alive" });
    search.note(8, { kind: "alive" });
    assert.deepEqual(search.bounds, { aliveSec: 8, deadSec: null, end: undefined, othersSec: null });
  });

  it("is not misled by a reset that only answers a word after the silence", () => {
    const { search } = searched(
      (silentSec) => (silentSec <= 350 ? { kind: "alive" } : { kind: "reset", afterSec: null }),
      600,
    );
    assert.ok(Math.abs(search.limit!.limitSec - 350) <= 35, `${search.limit!.limitSec}`);
    assert.equal(search.bounds.end?.kind, "reset");
  });
});

describe("the likely box", () => {
  it("is the one with that preset and that manner", () => {
    assert.match(likelyBoxes("fin", 59.8)[0]!, /nginx/);
    assert.match(likelyBoxes("silent-drop", 241)[0]!, /Azure/);
    assert.match(likelyBoxes("silent-drop", 352)[0]!, /AWS Network Load Balancer/);
  });

  it("is a kind of box where no preset fits", () => {
    assert.match(likelyBoxes("silent-drop", 15)[0]!, /NAT/);
    assert.match(likelyBoxes("fin", 12)[0]!, /reverse proxy/);
  });

  it("is none without a limit", () => assert.deepEqual(likelyBoxes("none", null), []));
});
