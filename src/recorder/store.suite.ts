import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConnectionEnd, Sample } from "../core/records.ts";
import type { ExitVerdict } from "../core/run-record.ts";
import type { ConnectionFilter, IncidentRow, RecorderStore, RunRow } from "./store.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A whole minute, as samples are thinned by spans of the clock. */
const T = Date.UTC(2026, 10, 22, 10);

const WIDE = { maxBytes: 1e9, maxAgeMs: 30 * DAY, maxConnections: 1e6 };

/** A new, empty store, removed with everything it left when the test is over. */
export type MakeStore = () => Disposable & { readonly store: RecorderStore };

/** What every `RecorderStore` does. */
export function testStore(name: string, make: MakeStore): void {
  describe(`${name}: connections`, () => {
    test("an opened one has nothing but its beginning", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      assert.deepEqual(made.store.connection("a"), {
        ...opened("a", T),
        generation: null,
        clientId: null,
        clientVersion: null,
        role: null,
        end: null,
        incident: null,
      });
    });

    test("one that was served, named and closed has it all", () => {
      using made = make();
      const { store } = made;
      store.openConnection(opened("a", T));
      store.serveConnection("a", 3);
      store.identifyConnection("a", { clientId: "panel", clientVersion: "1.2", role: "operator" });
      store.closeConnection("a", ended(T + 5), "i-1");
      assert.deepEqual(store.connection("a"), {
        ...opened("a", T),
        generation: 3,
        clientId: "panel",
        clientVersion: "1.2",
        role: "operator",
        end: ended(T + 5),
        incident: "i-1",
      });
    });

    test("an end keeps what is absent absent, and fractions of a round trip", () => {
      using made = make();
      const { store } = made;
      const end = ended(T + 5, { code: null, reason: "", rttMs: null });
      store.openConnection({ ...opened("a", T), origin: null });
      store.closeConnection("a", end, null);
      store.openConnection(opened("b", T));
      store.closeConnection("b", ended(T + 5, { rttMs: 0.25 }), null);
      assert.deepEqual(store.connection("a")?.end, end);
      assert.equal(store.connection("a")?.origin, null);
      assert.equal(store.connection("b")?.end?.rttMs, 0.25);
    });

    test("the first opening of an id counts", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      made.store.openConnection(opened("a", T + 1));
      assert.equal(made.store.connection("a")?.openedAt, T);
    });

    test("an id nobody opened stays unknown", () => {
      using made = make();
      const { store } = made;
      store.serveConnection("a", 1);
      store.identifyConnection("a", { clientId: "panel", clientVersion: null, role: null });
      store.closeConnection("a", ended(T), null);
      store.linkConnections(["a"], "i-1");
      assert.equal(store.connection("a"), undefined);
      assert.equal(store.countConnections({}), 0);
    });

    test("are linked with an incident afterwards, only those that are named", () => {
      using made = make();
      const { store } = made;
      for (const id of ["a", "b", "c"]) store.openConnection(opened(id, T));
      store.linkConnections(["a", "c"], "i-1");
      assert.deepEqual(
        ["a", "b", "c"].map((id) => store.connection(id)?.incident),
        ["i-1", null, "i-1"],
      );
    });
  });

  describe(`${name}: connections that are looked for`, () => {
    /**
     * `late` and `lasting` live; `late` was never served. `first` and `second` closed in the other order than they
     * were opened.
     */
    function filled(store: RecorderStore): RecorderStore {
      store.openConnection({ ...opened("first", T), address: "192.0.2.1" });
      store.openConnection({ ...opened("second", T + 10), address: "192.0.2.2" });
      store.openConnection({ ...opened("lasting", T + 20), address: "192.0.2.1" });
      store.openConnection({ ...opened("late", T + 30), address: "192.0.2.3" });
      store.serveConnection("first", 1);
      store.serveConnection("second", 1);
      store.serveConnection("lasting", 2);
      store.identifyConnection("second", { clientId: "panel", clientVersion: null, role: null });
      store.identifyConnection("lasting", { clientId: "panel", clientVersion: null, role: null });
      store.closeConnection("second", ended(T + 40), "i-1");
      store.closeConnection("first", ended(T + 50), null);
      return store;
    }

    const cases: readonly [title: string, filter: ConnectionFilter, ids: readonly string[]][] = [
      ["all: the last opened first", {}, ["late", "lasting", "second", "first"]],
      ["the living", { state: "live" }, ["late", "lasting"]],
      ["the closed: the last closed first", { state: "closed" }, ["first", "second"]],
      ["since the end of one", { since: T + 50 }, ["first"]],
      [
        "since a time between: by end or, if it lives, by beginning",
        { since: T + 30 },
        ["late", "second", "first"],
      ],
      ["of an incident", { incident: "i-1" }, ["second"]],
      ["of a client's name", { client: "panel" }, ["lasting", "second"]],
      ["of a client's address", { client: "192.0.2.1" }, ["lasting", "first"]],
      [
        "opened in a span, its borders included",
        { openedBetween: [T, T + 20] },
        ["lasting", "second", "first"],
      ],
      ["opened in a span: not those that were never served", { openedBetween: [T + 25, T + 35] }, []],
      ["opened until then, served or not", { openedUntil: T + 20 }, ["lasting", "second", "first"]],
      ["by several words at once", { state: "closed", client: "panel", since: T }, ["second"]],
      ["by what nothing is", { incident: "i-none" }, []],
    ];
    for (const [title, filter, ids] of cases) {
      test(title, () => {
        using made = make();
        const store = filled(made.store);
        assert.deepEqual(
          store.connections(filter, 100).map(({ id }) => id),
          ids,
        );
        assert.equal(store.countConnections(filter), ids.length);
      });
    }

    test("ends are counted by bucket and cause, both ends of the span included", () => {
      using made = make();
      const { store } = made;
      const ends = [
        [T - 1, "client-closed"],
        [T, "client-closed"],
        [T + 99, "client-closed"],
        [T + 99, "client-reset"],
        [T + 100, "client-closed"],
        [T + 300, "client-reset"],
        [T + 301, "client-reset"],
      ] as const;
      for (const [index, [at, cause]] of ends.entries()) {
        store.openConnection(opened(`c${index}`, T - 10));
        store.closeConnection(`c${index}`, ended(at, { cause }), null);
      }
      store.openConnection(opened("lives", T));
      assert.deepEqual(
        store.countEnds({ from: T, to: T + 300, bucketMs: 100 }).map((row) => ({ ...row })),
        [
          { at: T, cause: "client-closed", count: 2 },
          { at: T, cause: "client-reset", count: 1 },
          { at: T + 100, cause: "client-closed", count: 1 },
          { at: T + 300, cause: "client-reset", count: 1 },
        ],
      );
    });

    test("no more than the limit, and the count is of all", () => {
      using made = make();
      const store = filled(made.store);
      assert.deepEqual(
        store.connections({}, 2).map(({ id }) => id),
        ["late", "lasting"],
      );
      assert.equal(store.countConnections({}), 4);
    });
  });

  describe(`${name}: runs`, () => {
    test("one is kept as it was saved last", () => {
      using made = make();
      made.store.saveRun(run("r", { endedAt: null }));
      const last = run("r", { endedAt: T + 9, code: 1, lastLines: ["é", "{}"], exit: VERDICT, crash: "c" });
      made.store.saveRun(last);
      assert.deepEqual(made.store.run("r"), last);
      assert.equal(made.store.runs({}, 10).length, 1);
    });

    test("one that nobody saved is unknown", () => {
      using made = make();
      assert.equal(made.store.run("r"), undefined);
    });

    const cases: readonly [
      title: string,
      filter: Parameters<RecorderStore["runs"]>[0],
      limit: number,
      keys: readonly string[],
    ][] = [
      ["newest first; of one moment, the greater key", {}, 10, ["d", "c", "b", "a"]],
      ["of a role", { role: "edge" }, 10, ["c", "a"]],
      ["that live", { openOnly: true }, 10, ["d", "c"]],
      ["since a moment, that moment included", { since: T + 10 }, 10, ["d", "c", "b"]],
      ["until a moment, that moment included", { until: T + 10 }, 10, ["b", "a"]],
      ["in a span", { since: T + 10, until: T + 10 }, 10, ["b"]],
      ["by several words at once", { role: "edge", openOnly: true, since: T }, 10, ["c"]],
      ["no more than the limit", {}, 1, ["d"]],
    ];
    for (const [title, filter, limit, keys] of cases) {
      test(title, () => {
        using made = make();
        made.store.saveRun(run("b", { startedAt: T + 10, endedAt: T + 11 }));
        made.store.saveRun(run("a", { role: "edge", startedAt: T, endedAt: T + 11 }));
        made.store.saveRun(run("d", { startedAt: T + 20, endedAt: null }));
        made.store.saveRun(run("c", { role: "edge", startedAt: T + 20, endedAt: null }));
        assert.deepEqual(
          made.store.runs(filter, limit).map(({ key }) => key),
          keys,
        );
      });
    }
  });

  describe(`${name}: incidents`, () => {
    test("one is kept as it was saved last", () => {
      using made = make();
      made.store.saveIncident(incident("i-1", { closedAt: null }));
      const last = incident("i-1", { closedAt: T + 9, evidence: ["é"], ends: 3, crash: "c" });
      made.store.saveIncident(last);
      assert.deepEqual(made.store.incident("i-1"), last);
      assert.equal(made.store.incidents({}, 10).length, 1);
    });

    test("one that nobody saved is unknown", () => {
      using made = make();
      assert.equal(made.store.incident("i-1"), undefined);
    });

    const cases: readonly [
      title: string,
      filter: Parameters<RecorderStore["incidents"]>[0],
      limit: number,
      ids: readonly string[],
    ][] = [
      ["newest first; of one moment, the greater id", {}, 10, ["i-4", "i-3", "i-2", "i-1"]],
      ["that last", { openOnly: true }, 10, ["i-4", "i-1"]],
      ["since a moment, that moment included", { since: T + 10 }, 10, ["i-4", "i-3", "i-2"]],
      ["by both words", { openOnly: true, since: T + 10 }, 10, ["i-4"]],
      ["no more than the limit", {}, 1, ["i-4"]],
    ];
    for (const [title, filter, limit, ids] of cases) {
      test(title, () => {
        using made = make();
        made.store.saveIncident(incident("i-2", { openedAt: T + 10, closedAt: T + 11 }));
        made.store.saveIncident(incident("i-1", { openedAt: T, closedAt: null }));
        made.store.saveIncident(incident("i-3", { openedAt: T + 20, closedAt: T + 21 }));
        made.store.saveIncident(incident("i-4", { openedAt: T + 20, closedAt: null }));
        assert.deepEqual(
          made.store.incidents(filter, limit).map(({ id }) => id),
          ids,
        );
      });
    }
  });

  describe(`${name}: notes and samples`, () => {
    test("notes come oldest first, those of one moment as they were added, borders included", () => {
      using made = make();
      const texts = [
        [T + 20, "late"],
        [T + 10, "first"],
        [T + 10, "second"],
        [T + 21, "too late"],
        [T + 9, "too early"],
      ] as const;
      for (const [at, text] of texts) made.store.addNote({ at, kind: "clock-set", text });
      assert.deepEqual(
        made.store.notes(T + 10, T + 20).map(({ text }) => text),
        ["first", "second", "late"],
      );
    });

    test("samples come oldest first, borders included", () => {
      using made = make();
      for (const at of [T + 20, T + 10, T + 21, T + 9]) made.store.addSample(sample(at));
      assert.deepEqual(made.store.samples(T + 10, T + 20), [sample(T + 10), sample(T + 20)]);
    });

    test("the last sample is the newest one, not the one added last", () => {
      using made = make();
      assert.equal(made.store.lastSample(), undefined);
      made.store.addSample(sample(T + 10));
      made.store.addSample(sample(T));
      assert.deepEqual(made.store.lastSample(), sample(T + 10));
    });

    test("a second sample of a moment takes the place of the first", () => {
      using made = make();
      made.store.addSample(sample(T));
      made.store.addSample({ ...sample(T), connections: 7 });
      assert.deepEqual(made.store.samples(T, T), [{ ...sample(T), connections: 7 }]);
    });
  });

  describe(`${name}: a transaction`, () => {
    const writeAll = (store: RecorderStore) => {
      store.openConnection(opened("b", T));
      store.closeConnection("a", ended(T + 1), null);
      store.saveRun(run("r"));
      store.saveIncident(incident("i-1"));
      store.addSample(sample(T));
      store.addNote({ at: T, kind: "clock-set", text: "x" });
    };
    const counts = (store: RecorderStore) => [
      store.countConnections({}),
      store.countConnections({ state: "closed" }),
      store.runs({}, 10).length,
      store.incidents({}, 10).length,
      store.samples(0, T).length,
      store.notes(0, T).length,
    ];

    test("keeps all its writes", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      made.store.transaction(() => writeAll(made.store));
      assert.deepEqual(counts(made.store), [2, 1, 1, 1, 1, 1]);
    });

    test("sees its own writes", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      made.store.transaction(() => {
        writeAll(made.store);
        assert.deepEqual(counts(made.store), [2, 1, 1, 1, 1, 1]);
      });
    });

    test("that throws keeps none, and throws what was thrown", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      const thrown = new Error("no");
      const failing = () =>
        made.store.transaction(() => {
          writeAll(made.store);
          throw thrown;
        });
      assert.throws(failing, (error) => error === thrown);
      assert.deepEqual(counts(made.store), [1, 0, 0, 0, 0, 0]);
    });

    test("after one that threw works", () => {
      using made = make();
      made.store.openConnection(opened("a", T));
      assert.throws(() =>
        made.store.transaction(() => {
          throw new Error("no");
        }),
      );
      made.store.transaction(() => writeAll(made.store));
      assert.deepEqual(counts(made.store), [2, 1, 1, 1, 1, 1]);
    });
  });

  describe(`${name}: pruning`, () => {
    /** Until nothing goes any more; says how much went. */
    const pruned = (store: RecorderStore, now: number, bounds: Partial<typeof WIDE>) => {
      let removed = 0;
      for (;;) {
        const piece = store.prune(now, { ...WIDE, ...bounds });
        if (piece === 0) return removed;
        removed += piece;
      }
    };
    const closed = (store: RecorderStore, ids: readonly string[], end = ended(T)) => {
      for (const id of ids) {
        store.openConnection(opened(id, T - 1));
        store.closeConnection(id, end, null);
      }
    };
    const idsOf = (store: RecorderStore) =>
      store
        .connections({}, 100)
        .map(({ id }) => id)
        .sort();

    test("an empty store loses nothing", () => {
      using made = make();
      assert.equal(pruned(made.store, T, {}), 0);
    });

    test("what is within the bounds stays", () => {
      using made = make();
      closed(made.store, ["a"]);
      made.store.addNote({ at: T, kind: "clock-set", text: "x" });
      assert.equal(pruned(made.store, T + 30 * DAY, {}), 0);
    });

    test("what ended longer ago than the age goes, of every kind", () => {
      using made = make();
      const { store } = made;
      for (const [name, at] of [
        ["old", T - 1],
        ["new", T],
      ] as const) {
        closed(store, [name], ended(at));
        store.saveRun(run(name, { startedAt: T - HOUR, endedAt: at }));
        store.saveIncident(incident(name, { openedAt: T - HOUR, closedAt: at }));
        store.addSample(sample(at));
        store.addNote({ at, kind: "clock-set", text: name });
      }
      assert.equal(pruned(store, T + HOUR, { maxAgeMs: HOUR }), 5);
      assert.deepEqual(idsOf(store), ["new"]);
      assert.deepEqual(
        [...store.runs({}, 9).map(({ key }) => key), ...store.incidents({}, 9).map(({ id }) => id)],
        ["new", "new"],
      );
      assert.deepEqual(
        [...store.samples(0, T).map(({ at }) => at), ...store.notes(0, T).map(({ at }) => at)],
        [T, T],
      );
    });

    test("what lasts is never too old", () => {
      using made = make();
      const { store } = made;
      store.openConnection(opened("a", T));
      store.saveRun(run("r", { endedAt: null }));
      store.saveIncident(incident("i-1", { closedAt: null }));
      assert.equal(pruned(store, T + 365 * DAY, {}), 0);
    });

    test("of too many connections those that closed first go", () => {
      using made = make();
      const { store } = made;
      closed(store, ["later"], ended(T + 2));
      closed(store, ["first"], ended(T));
      closed(store, ["next"], ended(T + 1));
      store.openConnection(opened("live", T - DAY));
      assert.equal(pruned(store, T + HOUR, { maxConnections: 2 }), 2);
      assert.deepEqual(idsOf(store), ["later", "live"]);
    });

    test("living connections stay even if they alone are too many", () => {
      using made = make();
      const { store } = made;
      for (const id of ["a", "b", "c"]) store.openConnection(opened(id, T));
      closed(store, ["gone"]);
      assert.equal(pruned(store, T, { maxConnections: 2 }), 1);
      assert.deepEqual(idsOf(store), ["a", "b", "c"]);
    });

    test("of too many bytes closed connections go, and nothing else", () => {
      using made = make();
      const { store } = made;
      closed(store, ["a", "b"]);
      store.openConnection(opened("live", T));
      store.saveRun(run("r"));
      store.addSample(sample(T));
      assert.equal(pruned(store, T, { maxBytes: 1 }), 2);
      assert.deepEqual(idsOf(store), ["live"]);
      assert.deepEqual([store.runs({}, 9).length, store.samples(0, T).length], [1, 1]);
    });

    // 20,000 rows are more than one piece, in the file and in memory
    test("of a store that is far too large enough goes, the oldest first", () => {
      using made = make();
      const { store } = made;
      store.transaction(() => {
        for (let i = 0; i < 20_000; i++) closed(store, [`c${i}`], ended(T + i));
      });
      const removed = pruned(store, T + HOUR, { maxBytes: 2e6 });
      assert.ok(removed > 0 && removed < 20_000, `${removed} went`);
      assert.equal(store.countConnections({}), 20_000 - removed);
      assert.equal(store.connection("c0"), undefined);
      assert.ok(store.connection("c19999"));
    });
  });

  describe(`${name}: samples grow old`, () => {
    const kept = (store: RecorderStore, now: number) => {
      while (store.prune(now, WIDE) > 0);
      return store.samples(0, now).map(({ at }) => (at - T) / SECOND);
    };
    const every10s = (store: RecorderStore, count: number) => {
      for (let i = 0; i < count; i++) store.addSample(sample(T + i * 10 * SECOND));
    };

    test("for a day all are kept", () => {
      using made = make();
      every10s(made.store, 7);
      assert.deepEqual(kept(made.store, T + DAY), [0, 10, 20, 30, 40, 50, 60]);
    });

    test("after it the first of each minute", () => {
      using made = make();
      every10s(made.store, 13);
      assert.deepEqual(kept(made.store, T + DAY + HOUR), [0, 60, 120]);
    });

    test("each as soon as it is a day old", () => {
      using made = make();
      every10s(made.store, 7);
      assert.deepEqual(kept(made.store, T + DAY + 25 * SECOND), [0, 30, 40, 50, 60]);
    });

    test("after a week the first of ten minutes", () => {
      using made = make();
      every10s(made.store, 121);
      assert.deepEqual(kept(made.store, T + 7 * DAY + HOUR), [0, 600, 1200]);
    });

    test("thinned twice they are what they were", () => {
      using made = make();
      every10s(made.store, 13);
      const once = kept(made.store, T + DAY + HOUR);
      assert.deepEqual(kept(made.store, T + DAY + HOUR), once);
    });
  });
}

const VERDICT: ExitVerdict = {
  cause: "unexplained-exit",
  kind: "code-1",
  verdict: "possible",
  summary: "it exited with code 1 and did not say why",
  evidence: ["exit code 1"],
  unknown: ["why"],
};

function opened(id: string, openedAt: number) {
  return { id, openedAt, address: "192.0.2.7", origin: "https://panel.example", path: "/ws" };
}

function ended(at: number, rest: Partial<ConnectionEnd> = {}): ConnectionEnd {
  return {
    at,
    by: "client",
    code: 1001,
    reason: "going away",
    phase: "open",
    cause: "client-went-away",
    bytesIn: 1,
    bytesOut: 2,
    framesIn: 3,
    framesOut: 4,
    lastActivityAt: at,
    rttMs: 23.5,
    ...rest,
  };
}

function run(key: string, rest: Partial<RunRow> = {}): RunRow {
  return {
    key,
    role: "gateway",
    generation: 1,
    pid: 7,
    bootId: "boot-a",
    command: "x",
    configHash: null,
    startedAt: T,
    readyAt: null,
    endedAt: T + 1,
    code: null,
    signal: null,
    endedBy: null,
    peakRssBytes: null,
    peakHeapBytes: null,
    lastLines: [],
    exit: null,
    crash: null,
    ...rest,
  };
}

function incident(id: string, rest: Partial<IncidentRow> = {}): IncidentRow {
  return {
    id,
    kind: "outage",
    role: "gateway",
    openedAt: T,
    closedAt: T + 1,
    cause: "oom",
    verdict: "confirmed",
    summary: "out of memory",
    noticedBy: "supervisor",
    evidence: [],
    unknown: [],
    generation: 1,
    ends: 1,
    crash: null,
    ...rest,
  };
}

function sample(at: number): Sample {
  return {
    at,
    connections: 1,
    held: 0,
    rssBytes: 1,
    heapBytes: 1,
    loopP50Ms: 0.5,
    loopP99Ms: 1.5,
    rttP50Ms: null,
    rttP99Ms: null,
    gatewayRssBytes: null,
    memoryAvailableBytes: null,
    diskFreeBytes: null,
  };
}
