import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { humanDuration, localTime, parseSince } from "./time.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("humanDuration", () => {
  const cases: [ms: number, text: string][] = [
    [0, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [MINUTE, "1 min"],
    [HOUR - 1, "59 min"],
    [HOUR, "1 h"],
    [2 * HOUR + 5 * MINUTE, "2 h 5 min"],
    [DAY, "1 d"],
    [3 * DAY + 4 * HOUR + 59 * MINUTE, "3 d 4 h"],
  ];
  for (const [ms, text] of cases) {
    test(`${ms} ms is ${text}`, () => {
      assert.equal(humanDuration(ms), text);
    });
  }
});

describe("localTime", () => {
  const moment = new Date("2026-03-01T23:05:09Z");
  const zones: [zone: string, text: string][] = [
    ["UTC", "2026-03-01 23:05:09 +00:00"],
    ["Europe/Berlin", "2026-03-02 00:05:09 +01:00"],
    ["Asia/Kolkata", "2026-03-02 04:35:09 +05:30"],
    ["America/St_Johns", "2026-03-01 19:35:09 -03:30"],
  ];
  for (const [zone, text] of zones) {
    test(`in ${zone}`, (t) => {
      const before = process.env.TZ;
      t.after(() => {
        if (before === undefined) delete process.env.TZ;
        else process.env.TZ = before;
      });
      process.env.TZ = zone;
      assert.equal(localTime(moment), text);
    });
  }
});

describe("parseSince", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");

  test("counts back from now", () => {
    const spans: [text: string, ms: number][] = [
      ["90s", 90 * SECOND],
      ["10m", 10 * MINUTE],
      ["1.5h", 90 * MINUTE],
      ["2d", 2 * DAY],
    ];
    for (const [text, ms] of spans) assert.equal(parseSince(text, now), now - ms, text);
  });

  test("reads a date", () => {
    assert.equal(parseSince("2026-11-22T10:00:00Z", now), Date.parse("2026-11-22T10:00:00Z"));
    assert.equal(parseSince("2026-11-22", now), Date.parse("2026-11-22"));
  });

  test("reads the last such time of day", () => {
    const noon = new Date(2026, 10, 22, 12, 0, 0).getTime();
    assert.equal(parseSince("11:58", noon), noon - 2 * 60_000);
    assert.equal(parseSince("11:59:58", noon), noon - 2_000);
    assert.equal(parseSince("12:00:01", noon), new Date(2026, 10, 21, 12, 0, 1).getTime());
    for (const text of ["24:00", "12:60", "1200", "12:3"])
      assert.equal(parseSince(text, noon), undefined, text);
  });

  test("reads what logs prints", () => {
    const date = new Date(now);
    assert.equal(parseSince(localTime(date), now), now);
  });

  test("knows nothing else", () => {
    for (const text of ["", "10", "m", "-5m", "10 minutes", "yesterday", "10w"]) {
      assert.equal(parseSince(text, now), undefined, text);
    }
  });
});
