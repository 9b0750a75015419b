import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageLines } from "./message-lines.ts";

test("lines come as they were written, however the bytes were cut", () => {
  const bytes = Buffer.from('{"a":"ü"}\n\n{"b":1}\tnull\n{"c"');
  for (let size = 1; size <= bytes.length; size++) {
    const lines: string[] = [];
    const reader = new MessageLines(100, (line) => lines.push(line));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    assert.deepEqual(lines, ['{"a":"ü"}', "", '{"b":1}\tnull']);
  }
});

test("a line that is too long ends it, before it has ended itself", () => {
  const reader = new MessageLines(10, () => assert.fail());
  reader.push(Buffer.alloc(10, "x"));
  assert.throws(() => reader.push(Buffer.from("x")), /a message of more than 10 bytes/);
});
