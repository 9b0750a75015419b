import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LogFile } from "./log-files.ts";

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();
const line = (second: number, text = `line ${second}`) => `${at(second)} out ${text}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join("");
const textsOf = (found: readonly { text: string }[]) => found.map(({ text }) => text);

describe("looking back", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-log-"));
    path = join(folder, "gateway.log");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const all = { wanted: () => true, limit: 1_000 };

  test("finds the last lines, oldest first, through rotated files", async () => {
    await writeFile(`${path}.2`, lines(1, 3));
    await writeFile(`${path}.1`, lines(4, 6));
    await writeFile(path, lines(7, 9));
    const log = new LogFile("gateway", folder);
    assert.deepEqual(textsOf(await log.readBack({ ...all, limit: 5 })), [
      "line 5",
      "line 6",
      "line 7",
      "line 8",
      "line 9",
    ]);
    assert.equal((await log.readBack(all)).length, 9);
  });

  test("finds only what is wanted, and nothing before its time", async () => {
    await writeFile(path, lines(1, 9));
    const log = new LogFile("gateway", folder);
    const even = ({ text }: { text: string }) => Number(text.at(-1)) % 2 === 0;
    assert.deepEqual(textsOf(await log.readBack({ wanted: even, limit: 2 })), ["line 6", "line 8"]);
    assert.deepEqual(textsOf(await log.readBack({ ...all, since: at(8) })), ["line 8", "line 9"]);
  });

  test("reads blocks that end anywhere, in a line or in a letter", async () => {
    const long = "ä".repeat(999);
    const count = 1_500; // 3 MB: a dozen blocks
    await writeFile(path, Array.from({ length: count }, (_, i) => line(i, `${i} ${long}`)).join(""));
    const found = await new LogFile("gateway", folder).readBack({ ...all, limit: 900 });
    assert.deepEqual(
      found.map(({ text }) => text),
      Array.from({ length: 900 }, (_, i) => `${count - 900 + i} ${long}`),
    );
  });

  test("returns at most a mebibyte", async () => {
    await writeFile(path, Array.from({ length: 200 }, (_, i) => line(i, "x".repeat(16_000))).join(""));
    assert.equal((await new LogFile("gateway", folder).readBack(all)).length, 65);
  });

  test("begins where was read to, so that nothing comes twice and nothing is lost", async () => {
    await writeFile(path, lines(1, 3) + line(4).slice(0, 30));
    const log = new LogFile("gateway", folder);
    assert.deepEqual(textsOf(await log.readBack(all)), ["line 1", "line 2", "line 3"]);
    await appendFile(path, line(4).slice(30) + line(5));
    assert.equal((await log.readBack(all)).length, 3, "not what is newer");
    assert.deepEqual(textsOf(await log.readNew()), ["line 4", "line 5"]);
    await appendFile(path, line(6));
    await rename(path, `${path}.1`);
    await writeFile(path, line(7));
    assert.equal((await log.readBack(all)).length, 5, "also when it was rotated meanwhile");
    assert.deepEqual(textsOf(await log.readNew()), ["line 6", "line 7"]);
    assert.equal((await log.readBack(all)).length, 7);
  });

  test("what is passed over is not new", async () => {
    await writeFile(path, lines(1, 3));
    const log = new LogFile("gateway", folder);
    await log.goToEnd();
    await appendFile(path, line(4));
    assert.deepEqual(textsOf(await log.readNew()), ["line 4"]);
  });

  test("a log that is not there yet has nothing, and then everything", async () => {
    const log = new LogFile("gateway", folder);
    await log.goToEnd();
    assert.deepEqual(await log.readBack(all), []);
    await writeFile(path, line(1));
    assert.deepEqual(textsOf(await log.readNew()), ["line 1"]);
  });
});

describe("reading on while the log is rotated", () => {
  test("every line comes once, in order, whenever the files move", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-log-"));
    const path = join(folder, "gateway.log");
    const FILES = 100;
    let isWritten = false;

    /** Turns the files over between any two steps of the reader. */
    async function write(): Promise<void> {
      for (let n = 1; n <= FILES; n++) {
        await appendFile(path, line(0, String(n)));
        for (let i = n - 1; i >= 1; i--) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
        renameSync(path, `${path}.1`);
      }
      await writeFile(path, "");
      isWritten = true;
    }

    async function readOn(log: LogFile): Promise<string[]> {
      const found: string[] = [];
      for (let isLast = false; !isLast; ) {
        isLast = isWritten;
        found.push(...textsOf(await log.readNew()));
        await new Promise((resolve) => setTimeout(resolve, 10)); // a few files fall behind
      }
      return found;
    }

    try {
      await writeFile(path, "");
      const log = new LogFile("gateway", folder);
      await log.readNew();
      const [found] = await Promise.all([readOn(log), write()]);
      assert.deepEqual(
        found,
        Array.from({ length: FILES }, (_, i) => String(i + 1)),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
