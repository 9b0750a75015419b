import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defaultConfig } from "../config/parse.ts";
import { backupPath, installedIn, readDefinition, restoreDefinition, writeDefinition } from "./definition.ts";
import { drive } from "./drive.ts";
import { memoryMax, startSeconds, stopSeconds } from "./limits.ts";
import { boundLog } from "./service-log.ts";
import { isShortLived, stablePath } from "./stable-path.ts";
import { taskScheduler } from "./task-scheduler.ts";

const GB = 2 ** 30;

describe("parts of services", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-services-"));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test("limits: three quarters of the memory, more for a larger heap, never more than nine tenths", () => {
    const { supervisor } = defaultConfig();
    assert.equal(memoryMax(8 * GB, supervisor), 6 * GB);
    assert.equal(memoryMax(8 * GB, { ...supervisor, heapMb: 6 * 1024 }), 6.75 * GB);
    assert.equal(memoryMax(8 * GB, { ...supervisor, heapMb: 100_000 }), Math.floor(7.2 * 1024) * 2 ** 20);
    // grace 10, drain 2, start 60
    assert.deepEqual([startSeconds(supervisor), stopSeconds(supervisor)], [130, 27]);
  });

  test("a path that outlives an upgrade: the link on PATH, not the version's folder", async () => {
    const version = join(folder, "Cellar/node/24.1.0/bin");
    const bin = join(folder, "bin");
    const other = join(folder, "other");
    const shell = join(folder, "fnm_multishells/123/bin");
    for (const path of [version, bin, other, shell]) await mkdir(path, { recursive: true });
    await writeFile(join(version, "node"), "");
    await writeFile(join(other, "node"), "");
    for (const path of [bin, shell]) await symlink(join(version, "node"), join(path, "node"));
    const node = join(version, "node");
    assert.equal(await stablePath(node, "node", [shell, other, bin].join(delimiter)), join(bin, "node"));
    assert.equal(await stablePath(node, "node", [shell, other].join(delimiter)), node);
    assert.equal(isShortLived("/home/ada/.npm/_npx/0123/node_modules/clawkit/dist/clawkit.js"), true);
  });

  test("a definition is written in its encoding, and the one before is kept", async () => {
    const path = join(folder, "definitions/clawkit.service");
    const file = { path, text: "one\n", mode: 0o644, encoding: "utf8" } as const;
    await writeDefinition(file);
    assert.equal(await readDefinition(backupPath(path)), undefined);
    await writeDefinition({ ...file, text: "two ü\n", encoding: "utf16le" });
    assert.deepEqual([...(await readFile(path)).subarray(0, 4)], [0xff, 0xfe, 0x74, 0]);
    assert.equal(await readDefinition(path), "two ü\n");
    assert.equal(await readDefinition(backupPath(path)), "one\n");
  });

  // A changed definition that the manager refused stayed, though the one before lay beside it.
  test("the definition before comes back", async () => {
    const path = join(folder, "back", "clawkit.service");
    const file = { path, mode: 0o644, encoding: "utf8" } as const;
    for (const text of ["one", "two"]) await writeDefinition({ ...file, text });
    await restoreDefinition(path);
    assert.equal(await readDefinition(path), "one");
  });

  test("a service is ours if it is for this state directory", async () => {
    const stateDir = join(folder, "state");
    const manager = { ...taskScheduler({ stateDir }), definitionPath: join(folder, "task.xml") };
    assert.equal(await installedIn([manager], stateDir), undefined);
    const [file] = manager.files({ ...SETTINGS, stateDir });
    await writeDefinition({ ...file!, path: manager.definitionPath });
    assert.equal(await installedIn([manager], stateDir), manager);
    assert.equal(await installedIn([manager], join(folder, "other")), undefined);
  });

  test("commands: one after the other; the first that fails and must not ends it; some are tried again", async () => {
    const path = join(folder, "ran");
    const run = (script: string) => ({ file: "/bin/sh", args: ["-c", script], timeLimitMs: 5_000 });
    const failures: string[] = [];
    const commands = [
      run(`echo one >> ${path}`),
      { ...run("echo known already >&2; exit 5"), mayFail: true },
      { ...run(`test -e ${path}.tried || { touch ${path}.tried; exit 5; }`), tries: 2 },
      run("echo it is broken >&2; exit 1"),
      run(`echo never >> ${path}`),
    ];
    await assert.rejects(
      drive(commands, (text) => failures.push(text)),
      /it is broken/,
    );
    assert.equal(await readFile(path, "utf8"), "one\n");
    assert.match(failures.join(), /known already/);
  });

  test("launchd's log is bounded at the start, and what it had is kept once", async () => {
    const path = join(folder, "service.log");
    await boundLog(path, 10);
    await writeFile(path, "0123456789");
    await boundLog(path, 10);
    await appendFile(path, "!");
    await boundLog(path, 10);
    assert.equal(await readFile(path, "utf8"), "");
    assert.equal(await readFile(`${path}.1`, "utf8"), "0123456789!");
  });
});

const SETTINGS = {
  node: "node",
  entry: "clawkit",
  logsDir: "logs",
  path: "",
  user: "ada",
  startSec: 1,
  stopSec: 1,
  variables: {},
  memoryMaxBytes: 1,
};
