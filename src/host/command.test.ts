import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "./command.ts";

const node = (script: string) => ["-e", script];

test("returns what the program prints", async () => {
  assert.equal(await runCommand(process.execPath, node("console.log('ü')")), "ü\n");
});

test("returns what a failing program prints, as lsof does when it could not see everything", async () => {
  const script = node("process.stdout.write('p812', () => process.exit(1))");
  assert.equal(await runCommand(process.execPath, script), "p812");
});

test("returns undefined if the program fails without a word, or is missing", async () => {
  assert.equal(await runCommand(process.execPath, node("process.exit(1)")), undefined);
  assert.equal(await runCommand("/no/such/program", []), undefined);
});

test("ends the program's input, so that one that reads it comes to an end", async () => {
  const script = node("process.stdin.resume().on('end', () => console.log('end'))");
  assert.equal(await runCommand(process.execPath, script), "end\n");
});

test("adds to our environment, and takes from it", async (t) => {
  process.env.CLAWKIT_TEST_TAKEN = "still here";
  t.after(() => delete process.env.CLAWKIT_TEST_TAKEN);
  const script = node("console.log(process.env.TZ, process.env.CLAWKIT_TEST_TAKEN)");
  const environment = { TZ: "UTC", CLAWKIT_TEST_TAKEN: undefined };
  assert.equal(await runCommand(process.execPath, script, { environment }), "UTC undefined\n");
});

test("gives up on a program that does not finish, even one that will not end", async () => {
  const script = node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  await assert.rejects(runCommand(process.execPath, script, { timeLimitMs: 300 }), {
    message: `Cannot use the answer of ${process.execPath} as it did not finish within 300 ms`,
  });
});
