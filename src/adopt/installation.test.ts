import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { machineWith } from "../../test/helpers/machine.ts";
import { findInstallation } from "./installation.ts";

async function setUp(t: TestContext) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "clawkit-installation-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const configPath = join(folder, "openclaw.json");
  const search = { platform: process.platform, ownFolders: [], node: process.execPath };
  const find = (path = folder) =>
    findInstallation(machineWith({ openclawConfigPath: configPath, env: {} }), { ...search, path });
  return { folder, configPath, find };
}

async function install(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "openclaw"), "#!/bin/sh\necho OpenClaw 2026.9.6\n");
  await chmod(join(folder, "openclaw"), 0o755);
}

// fnm: ~/.local/state/fnm_multishells/<pid>_<time> is a link that goes with its shell; a config that named it started no
// gateway at the next boot.
test("a command that only this shell has is found where it stays", async (t) => {
  const { folder, find } = await setUp(t);
  const version = join(folder, "node-versions", "v24", "installation");
  await install(join(version, "bin"));
  await mkdir(join(folder, "fnm_multishells"));
  await symlink(version, join(folder, "fnm_multishells", "812_1"));
  const { command, version: said } = await find(join(folder, "fnm_multishells", "812_1", "bin"));
  assert.deepEqual([command, said], [[join(version, "bin", "openclaw")], "2026.9.6"]);
});

test("a config that cannot be read is none that is missing", async (t) => {
  const { configPath, find } = await setUp(t);
  assert.deepEqual(await find().then(({ configText, gateway }) => [configText, "problem" in gateway]), [
    undefined,
    false,
  ]);
  await mkdir(configPath); // EISDIR, also for root
  const { gateway } = await find();
  assert.match("problem" in gateway ? gateway.problem : "", /Cannot read .*openclaw\.json.*EISDIR/);
});
