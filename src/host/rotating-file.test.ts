import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { RotatingFile } from "./rotating-file.ts";

/** What is tried again after a failed write, in milliseconds. */
const RETRY_MS = 5_000;

const needsDevFull = existsSync("/dev/full") ? false : "needs /dev/full as a full disk";

/** A log in a folder of its own, with a clock that stands still. */
async function createLog(options: { maxBytes?: number; keep?: number; path?: string } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-log-"));
  const path = options.path ?? join(folder, "logs", "gateway.log");
  const troubles: string[] = [];
  const clock = { now: 0 };
  const log = new RotatingFile(path, {
    maxBytes: options.maxBytes ?? 1_000_000,
    keep: options.keep ?? 3,
    wall: () => clock.now,
    onTrouble: (message) => troubles.push(message),
  });
  return {
    log,
    path,
    folder: join(folder, "logs"),
    troubles,
    clock,
    lines: async (suffix = "") => (await readFile(`${path}${suffix}`, "utf8")).trimEnd().split("\n"),
    async [Symbol.asyncDispose]() {
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe("RotatingFile", () => {
  test("writes lines in order, in a file for its owner alone", async () => {
    await using it = await createLog();
    for (let i = 0; i < 1_000; i++) it.log.write(`line ${i}`);
    await it.log.flush();
    it.log.write("last");
    await it.log.flush();
    const lines = await it.lines();
    assert.equal(lines.length, 1_001);
    assert.deepEqual([lines[0], lines[999], lines[1_000]], ["line 0", "line 999", "last"]);
    assert.equal((await stat(it.path)).mode & 0o777, 0o600);
    assert.equal((await stat(it.folder)).mode & 0o777, 0o700);
  });

  test("goes on behind what an earlier process wrote", async () => {
    await using it = await createLog({ maxBytes: 30 });
    await mkdir(it.folder);
    await writeFile(it.path, "of an earlier process\n");
    it.log.write("short");
    it.log.write("does not fit any more");
    await it.log.flush();
    assert.deepEqual(await it.lines(".1"), ["of an earlier process"]);
  });

  test("rotates before a line that does not fit, and keeps so many files", async () => {
    await using it = await createLog({ maxBytes: 20, keep: 2 });
    for (const line of [
      "first 9 b",
      "second 10",
      "third 9 b",
      "fourth 10",
      "fifth 9 b",
      "sixth 9 b",
      "seventh",
    ]) {
      it.log.write(line);
      await it.log.flush();
    }
    assert.deepEqual((await readdir(it.folder)).sort(), ["gateway.log", "gateway.log.1", "gateway.log.2"]);
    assert.deepEqual(await it.lines(".2"), ["third 9 b", "fourth 10"]);
    assert.deepEqual(await it.lines(".1"), ["fifth 9 b", "sixth 9 b"]);
    assert.deepEqual(await it.lines(), ["seventh"]);
  });

  test("keeps every file within its bound, also when much is written in one turn", async () => {
    await using it = await createLog({ maxBytes: 10_000, keep: 50 });
    const line = "x".repeat(99);
    for (let i = 0; i < 1_000; i++) it.log.write(line);
    await it.log.flush();
    const names = await readdir(it.folder);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(it.folder, name))).size));
    assert.ok(Math.max(...sizes) <= 10_000, `sizes: ${sizes}`);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      100_000,
    );
  });

  test("a disk that does not keep up bounds the memory: what does not fit is counted, the rest is written", async () => {
    await using it = await createLog({ maxBytes: 100_000_000 });
    const MIB = 1024 * 1024;
    const line = "x".repeat(MIB - 1);
    for (let i = 0; i < 6; i++) it.log.write(line); // room for 4
    await it.log.flush();
    it.log.write("later");
    await it.log.flush();
    const lines = await it.lines();
    assert.deepEqual(lines.map((text) => (text === line ? "1 MiB" : text.replace(/^\S+ /, ""))).sort(), [
      "1 MiB",
      "1 MiB",
      "1 MiB",
      "1 MiB",
      "later",
      "log (2 lines lost)",
    ]);
  });

  test("a folder that vanished is no reason to throw; writing goes on when it can", async () => {
    await using it = await createLog({ maxBytes: 10 });
    it.log.write("before");
    await it.log.flush();
    await rm(it.folder, { recursive: true });
    await writeFile(it.folder, "a file stands where the folder was");
    it.log.write("too long to fit: rotates");
    await it.log.flush();
    it.log.write("given up while it is broken");
    await it.log.flush();
    assert.equal(it.troubles.length, 1);
    assert.match(it.troubles[0]!, /^Cannot write .*gateway\.log: ENO(TDIR|ENT)/);

    await rm(it.folder);
    it.clock.now += RETRY_MS;
    it.log.write("again");
    await it.log.flush();
    // each in a file of its own, as ten bytes hold only one
    assert.deepEqual(await it.lines(".1"), ["1970-01-01T00:00:05.000Z log (2 lines lost)"]);
    assert.deepEqual(await it.lines(), ["again"]);
    assert.match(it.troubles[1]!, /works again$/);
  });

  test("a full disk stops the logging, is told once, and costs one try in five seconds", {
    skip: needsDevFull,
  }, async () => {
    await using it = await createLog({ path: "/dev/full" });
    for (let i = 0; i < 20; i++) {
      it.log.write(`line ${i}`);
      await it.log.flush();
      it.clock.now += 1_000;
    }
    assert.equal(it.troubles.length, 1, it.troubles.join("\n"));
    assert.match(it.troubles[0]!, /^Cannot write \/dev\/full: ENOSPC/);
  });

  test("a log file that somebody deleted is made anew at the next rotation, without losing a line", async () => {
    await using it = await createLog({ maxBytes: 10 });
    it.log.write("before");
    await it.log.flush();
    await rm(it.path);
    it.log.write("does not fit");
    await it.log.flush();
    assert.deepEqual(it.troubles, []);
    assert.deepEqual(await it.lines(), ["does not fit"]);
  });

  // An administrator set the clock back an hour: the log must not stay silent for that long.
  test("a wall clock that goes back does not stop the logging", async () => {
    await using it = await createLog();
    it.clock.now = 3_600_000;
    await writeFile(it.folder, "a file stands where the folder should be");
    it.log.write("lost");
    await it.log.flush();
    await rm(it.folder);
    it.clock.now = 0;
    it.log.write("still within the pause, or not");
    await it.log.flush();
    it.clock.now += RETRY_MS;
    it.log.write("again");
    await it.log.flush();
    assert.equal((await it.lines().catch(() => [])).at(-1), "again");
  });
});
