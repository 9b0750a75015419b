import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Crash, type CrashFiles, crashName, listCrashes, writeCrash } from "./crashes.ts";

const BEGIN = Date.UTC(2026, 10, 22, 14, 3, 22, 123);
const MEGABYTE = 1024 * 1024;

/** The crash of a generation; each ended a second after the one before. */
function crashOf(generation: number, own: Partial<Crash> = {}): Crash {
  const endedAt = new Date(BEGIN + generation * 1_000);
  return {
    v: 1,
    name: crashName(endedAt, "gateway", generation),
    role: "gateway",
    generation,
    pid: 4242,
    command: "node gateway.js",
    configHash: "0123456789ab",
    endedAt: endedAt.toISOString(),
    uptimeMs: 60_000,
    end: { code: null, signal: "SIGKILL", by: "itself" },
    exit: {
      cause: "killed-by-signal",
      kind: "SIGKILL",
      verdict: "confirmed",
      summary: "a person or program killed it (SIGKILL)",
      evidence: ["ended by SIGKILL"],
      unknown: [],
    },
    peakRssBytes: 1,
    peakHeapBytes: null,
    usage: [],
    cgroup: { before: null, after: null },
    kernelLogRead: true,
    ...own,
  };
}

async function crashFolder() {
  const root = await mkdtemp(join(tmpdir(), "clawkit-crashes-"));
  const path = join(root, "crashes");
  return {
    path,
    write: (generation: number, files: Partial<CrashFiles> = {}, known: readonly string[] = []) =>
      writeCrash(path, { crash: crashOf(generation), output: [], ...files }, known),
    read: (generation: number, file: string) => readFile(join(path, crashOf(generation).name, file), "utf8"),
    names: async () => (await readdir(path)).sort(),
    generations: async () => (await listCrashes(path)).map((crash) => crash.generation),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

describe("crashName", () => {
  test("is the time of the end and the generation, and a file name everywhere", () => {
    assert.equal(crashName(new Date(BEGIN), "gateway", 7), "2026-11-22T14-03-22-123Z-7");
  });

  test("names the process, if it is not the gateway", () => {
    assert.equal(crashName(new Date(BEGIN), "edge", 2), "2026-11-22T14-03-22-123Z-edge-2");
  });

  test("sorts by time, whatever the generation", () => {
    const names = [9, 10, 100].map((generation, i) => crashName(new Date(BEGIN + i), "gateway", generation));
    assert.deepEqual([...names].sort(), names);
  });
});

describe("writeCrash", () => {
  test("writes what there is, for its owner alone", async () => {
    await using crashes = await crashFolder();
    await crashes.write(1, {
      output: ["one", "two"],
      kernelLines: ["Killed process 4242"],
      report: { n: 1 },
    });
    assert.equal(await crashes.read(1, "output.log"), "one\ntwo\n");
    assert.equal(await crashes.read(1, "kernel.log"), "Killed process 4242\n");
    assert.deepEqual(JSON.parse(await crashes.read(1, "report.json")), { n: 1 });
    assert.deepEqual(JSON.parse(await crashes.read(1, "crash.json")), crashOf(1));
    const folder = join(crashes.path, crashOf(1).name);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    for (const name of await readdir(folder))
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  });

  test("leaves out what there is not", async () => {
    await using crashes = await crashFolder();
    await crashes.write(1);
    assert.deepEqual((await readdir(join(crashes.path, crashOf(1).name))).sort(), [
      "crash.json",
      "output.log",
    ]);
  });

  test("an empty kernel log is a log that was read, and is kept", async () => {
    await using crashes = await crashFolder();
    await crashes.write(1, { kernelLines: [] });
    assert.equal(await crashes.read(1, "kernel.log"), "");
  });
});

describe("secrets are left out of every file", () => {
  const KNOWN = "my-own-gateway-password";
  const SHAPED = `sk-${"abcdefgh".repeat(3)}`;

  test("those that are known, and those that look like some", async () => {
    await using crashes = await crashFolder();
    const leak = `${KNOWN} and ${SHAPED}, Authorization: Bearer abcdefghijkl`;
    await crashes.write(
      1,
      {
        crash: crashOf(1, { command: `node gateway.js --token ${KNOWN}` }),
        output: [leak],
        kernelLines: [leak],
        report: { javascriptStack: { message: leak } },
      },
      [KNOWN],
    );
    for (const file of await readdir(join(crashes.path, crashOf(1).name))) {
      const text = await crashes.read(1, file);
      assert.ok(![KNOWN, SHAPED, "abcdefghijkl"].some((secret) => text.includes(secret)), `${file}: ${text}`);
      assert.match(text, /\[redacted\]/, file);
    }
    assert.deepEqual(await crashes.generations(), [1], "crash.json is still JSON");
    JSON.parse(await crashes.read(1, "report.json"));
  });

  // The texts are cleaned as JSON: what stands in a string there has backslashes that the patterns do not know.

  test("a known secret that JSON writes with escapes", async () => {
    await using crashes = await crashFolder();
    const known = 'pass"word\\with-escapes';
    await crashes.write(1, { report: { javascriptStack: { message: known } } }, [known]);
    assert.doesNotMatch(await crashes.read(1, "report.json"), /with-escapes/);
  });

  const lines: Record<string, readonly [line: string, options: object]> = {
    "a header in a line of its own": ["Cookie: session=0123456789", {}],
    "a header in JSON": ['failed {"authorization":"Bearer 0123456789"} giving up', {}],
    "a token in JSON": ['config: {"token":"0123456789"}', {}],
    "a quoted header": ['sent "Authorization: Bearer 0123456789" twice', {}],
    "a quoted address with a token": ['connecting to "ws://host/?token=0123456789"', {}],
  };
  for (const [what, [line, options]] of Object.entries(lines)) {
    test(`${what} is left out of crash.json, which stays JSON`, options, async () => {
      await using crashes = await crashFolder();
      const { exit } = crashOf(1);
      const crash = crashOf(1, { exit: { ...exit, evidence: [`it printed: ${line}`, "and more"] } });
      await crashes.write(1, { crash });
      assert.doesNotMatch(await crashes.read(1, "crash.json"), /0123456789(?!ab)/);
      assert.deepEqual(await crashes.generations(), [1], "crash list does not show it");
    });
  }
});

describe("crash folders are bounded", () => {
  test("the newest 50 are kept", async () => {
    await using crashes = await crashFolder();
    for (let generation = 1; generation <= 53; generation++) await crashes.write(generation);
    const kept = await crashes.generations();
    assert.equal(kept.length, 50);
    assert.deepEqual([kept[0], kept.at(-1)], [53, 4]);
    assert.equal((await crashes.names()).length, 50);
  });

  /** A sparse file: its size counts, the disk is not written to. */
  async function enlarge(crashes: { path: string }, generation: number, bytes: number): Promise<void> {
    await truncate(join(crashes.path, crashOf(generation).name, "output.log"), bytes);
  }

  test("the newest 100 MB are kept", async () => {
    await using crashes = await crashFolder();
    for (const generation of [1, 2, 3]) {
      await crashes.write(generation);
      await enlarge(crashes, generation, 45 * MEGABYTE);
    }
    await crashes.write(4);
    assert.deepEqual(await crashes.generations(), [4, 3, 2]);
  });

  test("the last one is kept, however large", async () => {
    await using crashes = await crashFolder();
    await crashes.write(1);
    await crashes.write(2, { output: ["x".repeat(101 * MEGABYTE)] });
    assert.deepEqual(await crashes.generations(), [2]);
  });

  test("what is no crash folder is not touched", async () => {
    await using crashes = await crashFolder();
    await mkdir(join(crashes.path, "notes"), { recursive: true });
    await writeFile(join(crashes.path, "README"), "mine");
    for (let generation = 1; generation <= 52; generation++) await crashes.write(generation);
    const names = await crashes.names();
    assert.deepEqual(names.slice(-2), ["README", "notes"]);
    assert.equal(names.length, 52);
  });
});

describe("listCrashes", () => {
  test("newest first, across roles", async () => {
    await using crashes = await crashFolder();
    for (const generation of [2, 1, 3]) await crashes.write(generation);
    assert.deepEqual(await crashes.generations(), [3, 2, 1]);
  });

  test("a folder that is not there holds none", async () => {
    assert.deepEqual(await listCrashes(join(tmpdir(), "clawkit-no-such-folder")), []);
  });

  // crash.json is written last: a folder without it, or with half of it, was cut off.
  test("a half-written folder is passed over", async () => {
    await using crashes = await crashFolder();
    await crashes.write(1);
    const [without, half] = [crashOf(2).name, crashOf(3).name].map((name) => join(crashes.path, name));
    for (const folder of [without!, half!]) await mkdir(folder);
    await writeFile(join(without!, "output.log"), "");
    await writeFile(join(half!, "crash.json"), '{"v": 1, "na');
    assert.deepEqual(await crashes.generations(), [1]);
  });

  test("half-written folders count, and go with age", async () => {
    await using crashes = await crashFolder();
    const half = join(crashes.path, crashName(new Date(BEGIN - 1), "gateway", 1));
    await mkdir(half, { recursive: true });
    for (let generation = 1; generation <= 50; generation++) await crashes.write(generation);
    await assert.rejects(stat(half), { code: "ENOENT" });
  });
});
