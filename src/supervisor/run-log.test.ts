import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseRunLog, type RunRecord, unfinishedRuns } from "../core/run-record.ts";
import { RunLog } from "./run-log.ts";

const BOOT = "boot-b";

function start(role: RunRecord["role"], pid: number, bootId = BOOT): RunRecord {
  const at = "2026-11-22T10:00:00.000Z";
  const own = { event: "start", startTime: `t${pid}`, command: "x", ownGroup: true } as const;
  return { v: 1, at, bootId, role, generation: 1, pid, ...own };
}

function end(role: RunRecord["role"], pid: number, bootId = BOOT): RunRecord {
  const at = "2026-11-22T10:00:01.000Z";
  const own = {
    event: "end",
    end: { code: 0, signal: null, by: "itself" },
    uptimeMs: 1,
    lastLines: [],
  } as const;
  return { v: 1, at, bootId, role, generation: 1, pid, ...own };
}

async function logFolder() {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-runs-"));
  return {
    path: join(folder, "runs.jsonl"),
    names: () => readdir(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe("RunLog", () => {
  test("appends in call order; what is awaited is on disk, readable by its owner alone", async () => {
    await using folder = await logFolder();
    const log = new RunLog(folder.path);
    const records = [start("supervisor", 1), start("edge", 2), end("edge", 2)];
    void log.append(records[0]!);
    void log.append(records[1]!);
    await log.append(records[2]!);
    assert.deepEqual(await log.read(), records);
    assert.equal((await stat(folder.path)).mode & 0o777, 0o600);
  });

  test("a missing file is an empty log", async () => {
    await using folder = await logFolder();
    const log = new RunLog(folder.path);
    await log.prepare();
    assert.deepEqual(await log.read(), []);
  });

  // The machine lost power in the middle of a write; the next start must not spoil its own first record.
  test("a half-written last line is passed over, and prepare keeps the next record apart from it", async () => {
    await using folder = await logFolder();
    const log = new RunLog(folder.path);
    await log.append(start("edge", 2));
    await appendFile(folder.path, JSON.stringify(end("edge", 2)).slice(0, 40));
    assert.deepEqual(await log.read(), [start("edge", 2)]);

    const next = new RunLog(folder.path);
    await next.prepare();
    await next.append(start("edge", 3));
    assert.deepEqual(await next.read(), [start("edge", 2), start("edge", 3)]);
  });

  test("prepare changes nothing in a log that ends well", async () => {
    await using folder = await logFolder();
    const log = new RunLog(folder.path);
    await log.append(start("edge", 2));
    const before = await readFile(folder.path, "utf8");
    await log.prepare();
    assert.equal(await readFile(folder.path, "utf8"), before);
  });

  test("a log over 4 MiB is set aside; the new one begins with what is not over yet", async () => {
    await using folder = await logFolder();
    const log = new RunLog(folder.path);
    await log.append(start("gateway", 7));
    await appendFile(folder.path, `"${"x".repeat(4 * 1024 * 1024)}"\n`);
    await log.append(start("edge", 2));
    assert.deepEqual(await folder.names(), ["runs.jsonl", "runs.jsonl.1"]);
    assert.deepEqual(await log.read(), [start("gateway", 7), start("edge", 2)]);
  });

  test("a write that fails rejects, and later ones go on", async () => {
    await using folder = await logFolder();
    const log = new RunLog(join(folder.path, "missing", "runs.jsonl"));
    await assert.rejects(log.append(start("edge", 2)), { code: "ENOENT" });
    await assert.rejects(log.append(start("edge", 2)), { code: "ENOENT" });
  });
});

describe("parseRunLog", () => {
  test("passes over what is no record of ours", () => {
    const lines = [
      "{",
      "null",
      "7",
      '{"v":2,"event":"start"}',
      '{"v":1}',
      JSON.stringify(start("edge", 2)),
      "",
    ];
    assert.deepEqual(parseRunLog(lines.join("\n")), [start("edge", 2)]);
  });
});

describe("unfinishedRuns", () => {
  const pids = (records: RunRecord[]) =>
    unfinishedRuns(records, BOOT).map(({ role, pid }) => `${role} ${pid}`);

  test("are those with a start and no end, newest first", () => {
    const records = [start("supervisor", 1), start("edge", 2), start("gateway", 3), end("edge", 2)];
    assert.deepEqual(pids(records), ["gateway 3", "supervisor 1"]);
  });

  test("of an earlier boot are over", () => {
    assert.deepEqual(pids([start("gateway", 3, "boot-a"), start("edge", 2)]), ["edge 2"]);
  });

  test("an end of an earlier boot ends nothing of this one", () => {
    assert.deepEqual(pids([start("gateway", 3), end("gateway", 3, "boot-a")]), ["gateway 3"]);
  });

  test("a pid that was used again counts by its last start", () => {
    const records = [start("gateway", 3), end("gateway", 3), { ...start("gateway", 3), generation: 2 }];
    assert.deepEqual(
      unfinishedRuns(records, BOOT).map(({ generation }) => generation),
      [2],
    );
  });
});
