import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  CLOSE,
  closeCodes,
  fitCloseReason,
  isSendableCloseCode,
  MAX_CLOSE_REASON_BYTES,
} from "./close-codes.ts";

describe("isSendableCloseCode", () => {
  it("lets exactly 1000–1003, 1007–1014 and 3000–4999 of 0…5000 through", () => {
    const sendable: string[] = [];
    for (let code = 0; code <= 5000; code++) {
      if (!isSendableCloseCode(code)) continue;
      if (isSendableCloseCode(code - 1)) sendable[sendable.length - 1] += `, ${code}`;
      else sendable.push(`${code}`);
    }
    const ranges = sendable.map((run) => `${run.split(", ")[0]}–${run.split(", ").at(-1)}`);
    assert.deepEqual(ranges, ["1000–1003", "1007–1014", "3000–4999"]);
  });

  const never = [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535];
  for (const code of never) {
    it(`refuses ${code}`, () => assert.equal(isSendableCloseCode(code), false));
  }
});

describe("the registry of close codes", () => {
  it("lists only codes that may be sent", () => {
    assert.deepEqual(
      closeCodes.filter(({ code }) => !isSendableCloseCode(code)),
      [],
    );
  });

  it("lists each code once, in order", () => {
    const codes = closeCodes.map(({ code }) => code);
    assert.deepEqual(
      codes,
      [...new Set(codes)].sort((a, b) => a - b),
    );
  });

  it("has a row for every code that ClawKit's own code names", () => {
    const listed = new Set<number>(closeCodes.map(({ code }) => code));
    assert.deepEqual(
      Object.values(CLOSE).filter((code) => !listed.has(code)),
      [],
    );
  });

  it("tells a client of a restarting gateway to come back now, never with 1000", () => {
    const retry = new Map<number, string>(closeCodes.map((row) => [row.code, row.retry]));
    assert.equal(retry.get(CLOSE.serviceRestart), "now");
    assert.equal(retry.get(CLOSE.tryAgainLater), "later");
    assert.equal(retry.get(CLOSE.normal), "never");
  });
});

describe("fitCloseReason", () => {
  const cases: [string, string, string][] = [
    ["an empty reason", "", ""],
    ["a short reason", "gateway restarting, reconnect now", "gateway restarting, reconnect now"],
    ["123 bytes", "a".repeat(123), "a".repeat(123)],
    ["124 bytes", "a".repeat(124), `${"a".repeat(120)}…`],
    ["123 bytes of which the last two are one character", `${"a".repeat(121)}é`, `${"a".repeat(121)}é`],
    ["a two-byte character across the cut", `${"a".repeat(119)}éééé`, `${"a".repeat(119)}…`],
    ["a three-byte character across the cut", `${"a".repeat(118)}€€€`, `${"a".repeat(118)}…`],
    ["a surrogate pair across the cut", `${"a".repeat(118)}🦞🦞`, `${"a".repeat(118)}…`],
    ["a surrogate pair that just fits", `${"a".repeat(116)}🦞🦞`, `${"a".repeat(116)}🦞…`],
  ];
  for (const [name, reason, expected] of cases) {
    it(name, () => assert.equal(fitCloseReason(reason), expected));
  }

  it("returns at most 123 bytes of UTF-8, whatever comes in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (reason) => {
        assert.ok(Buffer.byteLength(fitCloseReason(reason)) <= MAX_CLOSE_REASON_BYTES);
      }),
    );
  });

  it("keeps a prefix of whole characters and uses the room there is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 124, maxLength: 200 }), (reason) => {
        const fitted = fitCloseReason(reason);
        const kept = fitted.slice(0, -1);
        assert.equal(fitted.at(-1), "…");
        assert.ok(reason.startsWith(kept));
        assert.ok(kept.isWellFormed());
        assert.ok(isUtf8(Buffer.from(fitted)));
        assert.ok(Buffer.byteLength(fitted) > MAX_CLOSE_REASON_BYTES - 4);
      }),
    );
  });
});
