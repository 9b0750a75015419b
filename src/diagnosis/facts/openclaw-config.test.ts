import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { machineWith } from "../../../test/helpers/machine.ts";
import { openclawConfig } from "./openclaw-config.ts";

/** What is found in a config; undefined: there is no file. */
async function look(t: TestContext, text: string | undefined, mode = 0o600) {
  const dir = await mkdtemp(join(tmpdir(), "clawkit-openclaw-"));
  t.after(() => rm(dir, { recursive: true }));
  const openclawConfigPath = join(dir, "openclaw.json");
  if (text !== undefined) await writeFile(openclawConfigPath, text, { mode });
  await chmod(dir, 0o700);
  return await openclawConfig.look(machineWith({ openclawDirs: [dir], openclawConfigPath }));
}

const GOOD =
  '{ gateway: { mode: "local", port: 28789, auth: { mode: "token", token: "abcdefgh12345678" } } }';

/** The user of that name on most systems. */
const NOBODY = 65_534;

describe("OpenClaw's config", () => {
  const cases: [what: string, text: string | undefined, ids: string[]][] = [
    ["is well", GOOD, []],
    ["is well with comments and what we do not know", `// mine\n${GOOD.replace("{", '{ "$x": 1, ')}`, []],
    ["is not there", undefined, []],
    ["is cut", GOOD.slice(0, 30), ["openclaw-config-broken"]],
    ["is empty", "", ["openclaw-mode-unset"]],
    ["says no mode", "{ gateway: { port: 28789 } }", ["openclaw-mode-unset"]],
    ["says nothing", "{}", ["openclaw-mode-unset"]],
    ["is no object", "null", ["openclaw-mode-unset"]],
    ["says a mode that does not exist", '{ gateway: { mode: "on" } }', ["openclaw-mode-unknown"]],
    [
      "is open to all without a password",
      '{ gateway: { mode: "local", bind: "lan", auth: { mode: "none" } } }',
      ["openclaw-bind-unsafe"],
    ],
    [
      "is open to all with a token",
      '{ gateway: { mode: "local", bind: "lan", auth: { mode: "token" } } }',
      [],
    ],
    ["says another port", '{ gateway: { mode: "local", port: 1 } }', ["openclaw-other-port"]],
    [
      "is a client's",
      '{ gateway: { mode: "remote", remote: { url: "wss://gw.example.org" } } }',
      ["openclaw-remote"],
    ],
    [
      "holds what a printout hides",
      GOOD.replace("abcdefgh12345678", "__OPENCLAW_REDACTED__"),
      ["redacted-written"],
    ],
  ];
  for (const [what, text, ids] of cases) {
    test(what, async (t) => {
      assert.deepEqual(
        (await look(t, text)).map(({ id }) => id),
        ids,
      );
    });
  }

  test("that may not be read is told of", async (t) => {
    // root may read all: it looks as somebody else
    if (process.getuid?.() === 0) {
      process.seteuid!(NOBODY);
      t.after(() => process.seteuid!(0));
    }
    const [fact] = await look(t, GOOD, 0o000);
    assert.equal(fact?.id, "openclaw-config-unreadable");
  });

  test("shows no secret of it", async (t) => {
    const remote =
      '{ gateway: { mode: "remote", remote: { url: "wss://u:abcdefgh12345678@gw.example.org/?token=abcdefgh12345678" } } }';
    for (const text of [remote, GOOD.replace("local", "on"), GOOD.slice(0, -5)]) {
      assert.doesNotMatch(JSON.stringify(await look(t, text)), /abcdefgh12345678/);
    }
  });

  test("is nobody's where there is no OpenClaw", async () => {
    assert.deepEqual(await openclawConfig.look(machineWith({ openclawConfigPath: "/dev/null" })), []);
  });
});
