import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { collect } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";

/** A user that no passwd file knows, as a container's `--user` may be. */
const UNKNOWN = 43_210;

test("a user without a home is told what to set, and not that there is a bug", {
  skip: process.getuid?.() !== 0 && "only root can be another user",
}, async () => {
  const { HOME: _, ...env } = process.env;
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(process.execPath, [CLAWKIT, "doctor"], {
    env,
    uid: UNKNOWN,
    gid: UNKNOWN,
    cwd: "/",
    stdio,
  });
  const { code, stdout, stderr } = await collect(child);
  assert.deepEqual([code, stdout], [78, ""]);
  assert.match(
    stderr,
    /^error: Cannot find a home directory as user 43210 .* set HOME to a folder of yours$/m,
  );
});
