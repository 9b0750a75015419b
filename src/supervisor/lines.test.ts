import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "./lines.ts";

/** The lines of a stream that comes in these chunks. */
function split(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

/** Characters of a line that are kept. */
const MAX_LINE = 16 * 1024;

describe("LineSplitter", () => {
  test("cuts at line ends, those of Windows too, and keeps empty lines", () => {
    assert.deepEqual(split("one\ntwo\r\n\nthree\n"), ["one", "two", "", "three"]);
  });

  test("hands on a last line without an end, and no empty one after the last end", () => {
    assert.deepEqual(split("one\ntw", "o"), ["one", "two"]);
    assert.deepEqual(split("one\n"), ["one"]);
  });

  test("puts a character together whose bytes come apart", () => {
    const bytes = Buffer.from("größe €\n");
    assert.deepEqual(split(...[...bytes].map((byte) => Buffer.from([byte]))), ["größe €"]);
  });

  test("the same lines, wherever the stream is cut", () => {
    const line = fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ""));
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 10 }),
        fc.array(fc.nat(300), { maxLength: 8 }),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = at.slice(1).map((cut, i) => bytes.subarray(at[i], cut));
          assert.deepEqual(split(...chunks), bytes.toString().split("\n").slice(0, -1));
        },
      ),
    );
  });

  test("keeps the beginning of a line that is too long", () => {
    assert.deepEqual(
      split(`${"a".repeat(MAX_LINE + 100)}\nnext\n`).map((line) => line.length),
      [MAX_LINE, 4],
    );
  });

  // One line is one line, however the system cuts it: its tail must not look like a line of its own.
  test("a line that is too long stays one line when it comes in chunks", () => {
    const chunks = Array.from({ length: 10 }, () => "a".repeat(4 * 1024));
    assert.deepEqual(
      split(...chunks, "\nnext\n").map((line) => line.length),
      [MAX_LINE, 4],
    );
  });
});
