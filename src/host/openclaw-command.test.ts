import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findOpenclaw } from "./openclaw-command.ts";

test("the real openclaw is found behind an alias of ours", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "clawkit-test-"));
  t.after(() => rm(root, { recursive: true }));
  const [alias, linked, real] = ["alias", "linked", "real"].map((name) => join(root, name));
  for (const folder of [alias, linked, real]) await mkdir(folder!);
  await writeFile(join(alias!, "openclaw"), "#!/bin/sh\n");
  await symlink(join(alias!, "openclaw"), join(linked!, "openclaw"));
  await writeFile(join(real!, "openclaw"), "#!/bin/sh\n");
  const search = { platform: "linux", ownFolders: [alias!], node: "node" } as const;

  assert.deepEqual(await findOpenclaw({ ...search, path: `${alias}:${linked}:${real}` }), [
    join(real!, "openclaw"),
  ]);
  assert.equal(await findOpenclaw({ ...search, path: `${alias}:${linked}` }), undefined);
});

test("on Windows what npm's shim starts is started without it", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "clawkit-test-"));
  t.after(() => rm(root, { recursive: true }));
  await writeFile(join(root, "openclaw.cmd"), "@echo off\n");
  assert.deepEqual(await findOpenclaw({ platform: "win32", path: root, ownFolders: [], node: "node.exe" }), [
    "node.exe",
    join(root, "node_modules", "openclaw", "openclaw.mjs"),
  ]);
});
