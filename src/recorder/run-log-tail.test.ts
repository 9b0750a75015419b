import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { RunRecord } from "../core/run-record.ts";
import { RunLogTail } from "./run-log-tail.ts";

describe("the tail of a run log", () => {
  test("is nothing while there is no log", () => {
    using log = logFile();
    assert.deepEqual(log.tail.read(), []);
  });

  test("is all at first, and then what is new", () => {
    using log = logFile();
    log.append(line(1), line(2));
    assert.deepEqual(pids(log.tail.read()), [1, 2]);
    log.append(line(3));
    assert.deepEqual(pids(log.tail.read()), [3]);
    assert.deepEqual(log.tail.read(), []);
  });

  test("leaves half a line until it is whole", () => {
    using log = logFile();
    const [half, rest] = [line(2).slice(0, 20), line(2).slice(20)];
    log.append(line(1), half);
    assert.deepEqual(pids(log.tail.read()), [1]);
    assert.deepEqual(log.tail.read(), []);
    log.append(rest, line(3));
    assert.deepEqual(pids(log.tail.read()), [2, 3]);
  });

  test("may come in single bytes", () => {
    using log = logFile();
    const read: number[] = [];
    for (const byte of line(1) + line(2)) {
      log.append(byte);
      read.push(...pids(log.tail.read()));
    }
    assert.deepEqual(read, [1, 2]);
  });

  // a crash in mid-write: the next start of the supervisor ends the line
  test("passes over a line that was never finished", () => {
    using log = logFile();
    log.append(line(1), line(2).slice(0, 20));
    log.tail.read();
    log.append("\n", line(3));
    assert.deepEqual(pids(log.tail.read()), [3]);
  });

  test("of a log that was rotated is the new one, from its beginning", () => {
    using log = logFile();
    log.append(line(1), line(2));
    log.tail.read();
    log.rotate(line(1), line(3));
    assert.deepEqual(pids(log.tail.read()), [1, 3]);
    log.append(line(4));
    assert.deepEqual(pids(log.tail.read()), [4]);
  });

  test("forgets half a line of a log that was rotated", () => {
    using log = logFile();
    log.append(line(1), line(2).slice(0, 20));
    log.tail.read();
    log.rotate(line(3));
    assert.deepEqual(pids(log.tail.read()), [3]);
  });

  test("of a log that was cut is read from its beginning", () => {
    using log = logFile();
    log.append(line(1), line(2));
    log.tail.read();
    writeFileSync(log.path, line(3));
    assert.deepEqual(pids(log.tail.read()), [3]);
  });
});

function logFile() {
  const folder = mkdtempSync(join(tmpdir(), "clawkit-tail-"));
  const path = join(folder, "runs.jsonl");
  return {
    path,
    tail: new RunLogTail(path),
    append: (...texts: readonly string[]) => appendFileSync(path, texts.join("")),
    /** As the supervisor does it: the new log is written beside the old one and takes its name. */
    rotate(...texts: readonly string[]) {
      writeFileSync(`${path}.new`, texts.join(""));
      renameSync(`${path}.new`, path);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function line(pid: number): string {
  const at = "2026-11-22T10:00:00.000Z";
  const record: RunRecord = { v: 1, at, bootId: "boot-a", role: "edge", generation: 1, pid, event: "ready" };
  return `${JSON.stringify(record)}\n`;
}

function pids(records: readonly RunRecord[]): number[] {
  return records.map(({ pid }) => pid);
}
