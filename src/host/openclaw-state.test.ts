import assert from "node:assert/strict";
import { test } from "node:test";
import { openclawConfigPath, openclawDirs } from "./openclaw-state.ts";

// as `openclaw config file` of 2026.9.6 says it, with the home of nobody
for (const [name, env, path] of [
  ["where it usually is", {}, "/nowhere/.openclaw/openclaw.json"],
  ["in another home", { OPENCLAW_HOME: "/other" }, "/other/.openclaw/openclaw.json"],
  ["in a home below the own one", { OPENCLAW_HOME: "~/claw" }, "/nowhere/claw/.openclaw/openclaw.json"],
  ["in a folder that was named", { OPENCLAW_STATE_DIR: "~/state" }, "/nowhere/state/openclaw.json"],
  ["with a config that was named", { OPENCLAW_CONFIG_PATH: "/etc/claw.json" }, "/etc/claw.json"],
  ["a profile's name alone moves nothing", { OPENCLAW_PROFILE: "work" }, "/nowhere/.openclaw/openclaw.json"],
] as const) {
  test(`OpenClaw's config: ${name}`, async () => {
    assert.equal(await openclawConfigPath(env, "/nowhere"), path);
  });
}

test("OpenClaw's state in another home", async () => {
  assert.deepEqual(await openclawDirs({ OPENCLAW_STATE_DIR: "/srv/claw" }, "/nowhere"), ["/srv/claw"]);
});
