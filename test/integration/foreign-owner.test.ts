import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { CommandLine } from "../helpers/command-line.ts";
import { needsProc } from "../helpers/processes.ts";
import { exits } from "../helpers/results.ts";

const LISTENS = `require("node:http").createServer().listen(process.argv[1], "127.0.0.1", () => console.log("up"))`;

const SECRETS = /s3cr3t-abcdefgh|hunter22|two-words/;

// Somebody else's server with a token on its command line held the port: `gateway status`, and `gateway start` in its
// refusal, printed that command line as it was, ready to be pasted into an issue.
test("whoever holds the port is named without the secrets of its command line", {
  skip: needsProc,
}, async (t) => {
  await using line = await CommandLine.create();
  const options = ["--token", "s3cr3t-abcdefgh", "--password=two-words", "postgres://u:hunter22@h/db"];
  const other = spawn(process.execPath, ["-e", LISTENS, "--", String(line.port), ...options]);
  t.after(() => other.kill());
  await once(other.stdout, "data");

  const said = [
    await exits(4, line.clawkit("gateway", "status")),
    await exits(4, line.clawkit("gateway", "status", "--json")),
    await exits(4, line.clawkit("gateway", "start")),
    await exits(4, line.clawkit("gateway", "run")),
  ];
  for (const { stdout, stderr } of said) {
    assert.match(stdout + stderr, new RegExp(`${other.pid}.*\\[redacted\\]`, "s"));
    assert.doesNotMatch(stdout + stderr, SECRETS);
  }
});
