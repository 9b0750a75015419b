import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Output } from "./output.ts";

test("progress fits the terminal, however narrow: a line that wraps would stay", () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 20 });
  const out = new Output(new PassThrough() as never, terminal as never);
  out.progress("round 1, and how long it still takes");
  out.progress("round 2");
  assert.equal(String(terminal.read()), "… round 1, and how \r\x1b[2K… round 2");
});

test("JSON has no character that a terminal obeys", () => {
  const terminal = new PassThrough();
  const value = { name: "\u001b[2J\u009b2J\u007fü" };
  new Output(terminal as never, terminal as never).json(value);
  const text = String(terminal.read());
  assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}/u);
  assert.deepEqual(JSON.parse(text), value);
});
