import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { shellWord } from "./shell-word.ts";

const skip = process.platform === "win32" && "no POSIX shell";

// A path with a blank stood unquoted in commands that a person is to paste: they ran on half of it.
test("a word that a person pastes is the word that the program gets", { skip }, () => {
  for (const word of ["/home/ada/.clawkit", "/home/a b/.clawkit", `it's "$HOME" & more`, ""]) {
    assert.equal(execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`]).toString(), word);
  }
  assert.equal(shellWord("/home/ada/.clawkit"), "/home/ada/.clawkit");
});
