import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endsIn, type JournalEntry, lineUp, readJournal, tellEnd } from "./client-journal.ts";
import type { ConnectionRow } from "./store.ts";

const NOON = Date.parse("2026-11-22T12:00:00Z");
const SECOND = 1_000;
const words = {
  time: (ms: number) => new Date(ms).toISOString().slice(11, 19),
  duration: (ms: number) => `${ms / 1000} s`,
};

const row = (id: string, openedAt: number, end: object | null = null) =>
  ({ id, openedAt, address: "203.0.113.7", incident: null, end }) as unknown as ConnectionRow;

const entry = (name: JournalEntry["name"], at: number, code?: number): JournalEntry => ({
  name,
  text: `${name} ${code ?? ""}`,
  at,
  ...(code !== undefined && { code, reason: "" }),
});

/** A connection of 30 s, ended with 1006, in the words of the library. */
const held = (at: number) => [
  entry("connecting", at),
  entry("live", at + 50),
  entry("waiting", at + 30 * SECOND, 1006),
];

describe("the journal of a client", () => {
  it("has the ends of connections and of tries, without what has no beginning in it", () => {
    const journal = [
      entry("waiting", NOON, 1006),
      ...held(NOON + SECOND),
      entry("connecting", NOON + 32 * SECOND),
      entry("waiting", NOON + 33 * SECOND, 1006),
      entry("closed", NOON + 34 * SECOND, 1000), // by its application, while it was away
    ];
    assert.deepEqual(
      endsIn(journal).map(({ startedAt, at, code, liveAt }) => [startedAt - NOON, at - NOON, code, liveAt]),
      [
        [1_000, 31_000, 1006, NOON + 1_050],
        [32_000, 33_000, 1006, undefined],
      ],
    );
  });

  for (const [what, value, problem] of [
    ["no array", { name: "live" }, /^all of it must be array/],
    ["a state of another library", [{ name: "open", text: "", at: 1 }], /^\/0\/name/],
    ["a time that is none", [{ name: "live", text: "", at: "noon" }], /^\/0\/at must be number/],
    ["a code that is none", [{ name: "waiting", text: "", at: 1, code: 7 }], /^\/0\/code must be >= 1000/],
    ["a time without a calendar", [{ name: "live", text: "", at: 1e300 }], /^\/0\/at must be <=/],
    ["too much", Array.from({ length: 1_001 }, () => entry("live", 1)), /must not have more than 1000/],
  ] as const) {
    it(`cannot be ${what}`, () => {
      const read = readJournal(value);
      assert.ok("problem" in read);
      assert.match(read.problem, problem);
    });
  }
});

describe("the ends of a client beside our connections", () => {
  const ends = endsIn([NOON, NOON + 40 * SECOND, NOON + 75 * SECOND].flatMap(held));
  const ids = (lined: ReturnType<typeof lineUp>) => lined.rows.map((one) => one?.id);

  it("are told by when each began", () => {
    const rows = [row("c", NOON + 75_020), row("b", NOON + 40_020), row("a", NOON + 20)];
    const lined = lineUp(ends, rows);
    assert.deepEqual(ids(lined), ["a", "b", "c"]);
    assert.ok(Math.abs(lined.aheadMs) <= 20);
  });

  it("are found though the client's clock is minutes ahead", () => {
    const rows = [0, 40, 75].map((at) => row(`at ${at}`, NOON + at * SECOND - 180_000 + 20));
    const lined = lineUp(ends, [...rows, row("another's", NOON + 41 * SECOND)]);
    assert.deepEqual(ids(lined), ["at 0", "at 40", "at 75"]);
    assert.ok(Math.abs(lined.aheadMs - 180_000) <= 20);
  });

  it("do not get the connection of the try behind theirs", () => {
    const failed = [entry("connecting", NOON), entry("waiting", NOON + 5, 1006)];
    const lined = lineUp(endsIn([...failed, ...held(NOON + 200)]), [row("second", NOON + 210)]);
    assert.deepEqual(ids(lined), [undefined, "second"]);
  });

  it("are none of ours where none began then", () => {
    const lined = lineUp(ends, [row("of yesterday", NOON - 86_400_000)]);
    assert.deepEqual(ids(lined), [undefined, undefined, undefined]);
    const { headline, parts } = tellEnd(ends[0]!, undefined, words, NOON);
    assert.equal(
      headline,
      "client saw 1006 at 12:00:30; our side: no connection of it that began then is recorded",
    );
    assert.deepEqual(parts[0], { heading: "it said", lines: ['"waiting 1006"'] });
  });

  it("are looked for within bounds of time", () => {
    const many = endsIn(Array.from({ length: 300 }, (_, i) => held(NOON + i * 31 * SECOND)).flat());
    const rows = Array.from({ length: 1_000 }, (_, i) => row(`c-${i}`, NOON + i * 9 * SECOND));
    const startedAt = performance.now();
    lineUp(many, rows);
    assert.ok(performance.now() - startedAt < 5_000);
  });
});
