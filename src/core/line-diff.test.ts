import assert from "node:assert/strict";
import { test } from "node:test";
import { lineDiff } from "./line-diff.ts";

test("a diff names what goes and what comes, in its order", () => {
  assert.deepEqual(lineDiff("a\nb\nc\n", "a\nc\nd\n"), ["- b", "+ d"]);
  assert.deepEqual(lineDiff("a\nb\nc", "a\nx\nc\nd"), ["- b", "+ x", "+ d"]);
  assert.deepEqual(lineDiff("", "a"), ["+ a"]);
  assert.deepEqual(lineDiff("a\r\nb", "a\nb"), []);
});

// `"--token", "…"` in one line, and `- --token` above `- …`, came through: both diff lines held the token, with
// --dry-run, in the question and in --json.
test("no secret in it, also where option and value are two items of a list", () => {
  assert.deepEqual(lineDiff("a", "run --token abcdefgh"), ["- a", "+ run --token [redacted]"]);
  const before = 'command: ["node","--token","s3cr3t-hunter2"]\nenv: { A: b, OPENAI_KEY: sk_abc }';
  const lines = lineDiff(
    before,
    `${before.replace("]", ',"-v"]').replace("b,", "c,")}\n- --token\n- s3cr3t-hunter2`,
  );
  assert.doesNotMatch(lines.join("\n"), /hunter2|sk_abc/);
  assert.equal(lines.length, 6);
});
