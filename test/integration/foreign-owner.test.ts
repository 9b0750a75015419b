import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CommandLine } from "../helpers/command-line.ts";
import { needsProc } from "../helpers/processes.ts";
import { exits, json } from "../helpers/results.ts";

/** A web server: its port, and what it answers to everything. */
const SERVER = `
  require("node:http").createServer((_, response) => response.end(process.argv[2]))
    .listen(process.argv[1], "127.0.0.1", () => console.log("up"));
`;

async function serves(t: TestContext, ...args: string[]): Promise<number> {
  const other = spawn(process.execPath, ["-e", SERVER, "--", ...args]);
  t.after(() => other.kill());
  await once(other.stdout, "data");
  return other.pid!;
}

const SECRETS = /s3cr3t-abcdefgh|hunter22|two-words/;

// Somebody else's server with a token on its command line held the port: `gateway status`, and `gateway start` in its
// refusal, printed that command line as it was, ready to be pasted into an issue.
test("whoever holds the port is named without the secrets of its command line", {
  skip: needsProc,
}, async (t) => {
  await using line = await CommandLine.create();
  const options = ["--token", "s3cr3t-abcdefgh", "--password=two-words", "postgres://u:hunter22@h/db"];
  const pid = await serves(t, String(line.port), "hello", ...options);

  const said = [
    await exits(4, line.clawkit("gateway", "status")),
    await exits(4, line.clawkit("gateway", "status", "--json")),
    await exits(4, line.clawkit("gateway", "start")),
    await exits(4, line.clawkit("gateway", "run")),
  ];
  for (const { stdout, stderr } of said) {
    assert.match(stdout + stderr, new RegExp(`${pid}.*\\[redacted\\]`, "s"));
    assert.doesNotMatch(stdout + stderr, SECRETS);
  }
});

// A plain OpenClaw was down and a web server had its port. That one's 200 {"status":"degraded: database gone"} was
// taken for a gateway's health: the doctor called the machine healthy, exit code 0.
for (const answer of ['{"status":"degraded: database gone"}', '{"ok":true}']) {
  test(`a web server on OpenClaw's port is the trouble, whatever it says of itself: ${answer}`, {
    skip: needsProc,
  }, async (t) => {
    await using line = await CommandLine.create();
    const folder = join(line.home, ".openclaw");
    await mkdir(folder);
    await writeFile(join(folder, "openclaw.json"), `{ gateway: { mode: "local", port: ${line.port} } }`);
    await serves(t, String(line.port), answer);
    const { causes } = json<{ causes: { id: string; verdict: string }[] }>(
      await exits(1, line.clawkit("doctor", "--json")),
    );
    assert.deepEqual([causes[0]?.id, causes[0]?.verdict], ["port-conflict", "confirmed"]);
  });
}
