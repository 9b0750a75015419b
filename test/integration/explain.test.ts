import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { collect, ROOT } from "../helpers/clawkit.ts";

const TAKEN =
  "Gateway failed to start: another gateway instance is already listening on ws://127.0.0.1:18789\n";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clawkit-explain-"));
});
after(() => rm(folder, { recursive: true }));

/** Runs `clawkit explain` with a text on its standard input. */
async function explain(args: readonly string[], input = "") {
  const child = spawn(process.execPath, [join(ROOT, "src/bin/clawkit.ts"), "explain", ...args], {
    env: { ...process.env, CLAWKIT_STATE_DIR: folder },
  });
  const result = collect(child);
  child.stdin.on("error", () => undefined); // it need not read what it refuses
  child.stdin.end(input);
  return await result;
}

describe("clawkit explain", () => {
  test("says the cause in the first two lines, then evidence and what helps", async () => {
    const { code, stdout } = await explain([], TAKEN);
    assert.equal(code, 0);
    const [first, second, ...rest] = stdout.split("\n");
    assert.equal(first, "Another process holds the gateway's port");
    assert.equal(second, "Cause port-conflict, likely.");
    assert.match(rest.join("\n"), /evidence +line 1: Gateway failed to start: another gateway instance/);
    assert.match(rest.join("\n"), /what helps +See who holds the port/);
  });

  test("reads a file, and standard input as -", async () => {
    const file = join(folder, "error.txt");
    await writeFile(file, TAKEN);
    const [fromFile, fromInput] = [await explain([file]), await explain(["-"], TAKEN)];
    assert.equal(fromFile.stdout, fromInput.stdout);
    assert.equal(fromFile.code, 0);
  });

  test("prints JSON: causes best first, with evidence and remedies", async () => {
    const { stdout } = await explain(["--json"], TAKEN);
    const { schemaVersion, verdict, causes } = JSON.parse(stdout);
    assert.deepEqual(
      [schemaVersion, verdict, causes[0].id, causes[0].verdict],
      [1, "likely", "port-conflict", "likely"],
    );
    assert.equal(causes[0].evidence[0].source, "line 1");
    assert.ok(causes[0].remedies[0].commands.length > 0);
  });

  // A line of a log that was pasted came back as evidence with the token that stood in it, in text and in JSON.
  test("shows no secret of a line that it repeats", async () => {
    const pasted = `OPENCLAW_GATEWAY_TOKEN=abc123secret ${TAKEN}`;
    for (const args of [[], ["--json"]]) {
      const { stdout } = await explain(args, pasted);
      assert.match(stdout, /OPENCLAW_GATEWAY_TOKEN=\[redacted\] Gateway failed to start/);
      assert.doesNotMatch(stdout, /abc123secret/);
    }
  });

  test("says what would decide where the text does not", async () => {
    const { code, stdout } = await explain([], "gateway closed (1006 abnormal closure (no close frame))\n");
    assert.equal(code, 0);
    assert.match(stdout, /^Not enough evidence; it may be: /);
    assert.match(stdout, /would decide +what a plain GET gets: curl/);
  });

  test("refuses an empty text and a file that is not there, with exit code 2", async () => {
    const empty = await explain([], " \n");
    assert.deepEqual([empty.code, /empty text/.test(empty.stderr)], [2, true]);
    const missing = await explain([join(folder, "none.txt")]);
    assert.deepEqual([missing.code, /Cannot read .*none\.txt/.test(missing.stderr)], [2, true]);
  });
});
