import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { resolveConfig } from "../config/resolve.ts";
import type { CliContext } from "./context.ts";
import { serviceSettings } from "./service.ts";

test("a service in front of an OpenClaw finds it, and its state, as the shell that installs it does", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-test-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "openclaw"), "#!/bin/sh\n");
  await chmod(join(folder, "openclaw"), 0o755);
  const path = `${folder}:/usr/bin`;
  const context = {
    env: { PATH: path, OPENCLAW_STATE_DIR: "/srv/claw", OPENCLAW_GATEWAY_TOKEN: "a secret" },
    paths: { stateDir: folder, logsDir: folder },
    platform: "linux",
    home: "/nowhere",
    userName: "ada",
    ownTarget: { node: process.execPath, entry: process.execPath },
    openclawSearch: { platform: "linux", path, ownFolders: [], node: process.execPath },
  } as unknown as CliContext;
  const settings = async (upstream: string) => {
    const text = `{ gateway: { upstream: ${upstream}, auth: { token: "0123456789" } } }`;
    return await serviceSettings(context, resolveConfig({ path: "config.json5", text }, {}));
  };
  const { path: found, variables } = await settings('{ type: "openclaw" }');
  assert.ok(found.split(":").includes(folder), found);
  assert.deepEqual(variables, { OPENCLAW_STATE_DIR: "/srv/claw" });
  const builtin = await settings('{ type: "builtin" }');
  assert.deepEqual(builtin.variables, {});
  assert.equal(builtin.path.split(":")[0], dirname(process.execPath));
  assert.ok(!builtin.path.split(":").includes(folder));
});
