import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { NEW, OLD } from "../../../test/fixtures/programs/repairs-texts.ts";
import { program } from "../../../test/helpers/clawkit.ts";
import { Random } from "../../../test/helpers/random.ts";
import { writeFileAtomic } from "../../host/files.ts";
import { Ledger, type LedgerEntry } from "./ledger.ts";
import { outdated } from "./ledger-bounds.ts";
import type { Plan } from "./types.ts";

/** Every repair a minute after the one before. */
async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-ledger-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  let now = Date.parse("2026-11-22T12:00:00.000Z");
  const ledger = new Ledger(join(folder, "state"), () => {
    now += 60_000;
    return now;
  });
  return { ledger, folder, file: join(folder, "config.json5") };
}

/** Bytes that are no text, and a line end of each kind. */
const BYTES = Buffer.from([0xff, 0xfe, 0x00, 0x0d, 0x0a, 0x0a, 0x80]);

function writes(path: string, text: string, more: Partial<Plan> = {}): Plan {
  return {
    what: `write ${path}`,
    risk: "safe",
    files: [path],
    apply: () => writeFileAtomic(path, text),
    ...more,
  };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o7777;

describe("a repair", () => {
  test("is written down before it is made", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, BYTES);
    const plan = writes(file, "new", {
      apply: async () => {
        const [entry] = await ledger.entries();
        assert.deepEqual([entry?.repair, entry?.state, entry?.what], ["mend", "begun", plan.what]);
      },
    });
    await ledger.carryOut("mend", plan, "config-invalid");
    const [entry] = await ledger.entries();
    assert.deepEqual([entry?.state, entry?.cause], ["done", "config-invalid"]);
  });

  test("that fails is on record as failed, its error is told, and undo passes over it", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, BYTES);
    const plan = writes(file, "new", { apply: () => Promise.reject(new Error("no way")) });
    await assert.rejects(ledger.carryOut("mend", plan), { message: "no way" });
    assert.equal((await ledger.entries())[0]?.state, "failed");
    assert.deepEqual(await readFile(file), BYTES);
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });

  // a compose file stayed edited after the `up` that failed, and there was no repair to undo
  test("that fails half-way says how its half is taken back", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, "before");
    const plan = writes(file, "after", {
      apply: async () => {
        await writeFileAtomic(file, "after");
        throw new Error("no container");
      },
    });
    const error = await ledger.carryOut("mend", plan).catch((reason: Error) => reason);
    assert.ok(error instanceof Error);
    const [failed] = await ledger.entries();
    assert.equal(
      error.message,
      `no container; what it changed is taken back by: clawkit doctor undo ${failed?.id}`,
    );
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), "before");
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });

  test("keeps nothing that others can read", async (t) => {
    const { ledger, folder, file } = await setUp(t);
    await writeFile(file, "a secret", { mode: 0o644 });
    const { id } = await ledger.carryOut("mend", writes(file, "new"));
    const kept = join(folder, "state", "repairs", id);
    assert.equal(await modeOf(kept), 0o700);
    for (const name of await readdir(kept)) assert.equal(await modeOf(join(kept, name)), 0o600, name);
  });
});

describe("undo", () => {
  for (const mode of [0o600, 0o644, 0o400, 0o4600]) {
    test(`brings back every byte, and the mode ${mode.toString(8)}`, async (t) => {
      const { ledger, file } = await setUp(t);
      await writeFile(file, BYTES);
      await chmod(file, mode);
      await ledger.carryOut("mend", writes(file, "new"));
      assert.equal(await readFile(file, "utf8"), "new");
      await ledger.undo(undefined);
      assert.deepEqual(await readFile(file), BYTES);
      assert.equal(await modeOf(file), mode);
    });
  }

  test("brings back that there was no file", async (t) => {
    const { ledger, file } = await setUp(t);
    await ledger.carryOut("mend", writes(file, "new"));
    await ledger.undo(undefined);
    await assert.rejects(stat(file), { code: "ENOENT" });
  });

  test("brings back several files, moves and modes", async (t) => {
    const { ledger, folder } = await setUp(t);
    const [one, lock, dir] = ["one", "lock", "dir"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(one, "old one");
    await writeFile(lock, "old lock");
    await mkdir(dir, { mode: 0o500 });
    const plan = writes(one, "new", {
      undo: [
        { kind: "move", from: `${lock}.aside`, to: lock },
        { kind: "mode", path: dir, mode: 0o500 },
      ],
      apply: async () => {
        await writeFileAtomic(one, "new");
        await rename(lock, `${lock}.aside`);
        await chmod(dir, 0o700);
      },
    });
    await ledger.carryOut("mend", plan);
    await ledger.undo(undefined);
    assert.deepEqual([await readFile(one, "utf8"), await readFile(lock, "utf8")], ["old one", "old lock"]);
    assert.equal(await modeOf(dir), 0o500);
  });

  test("takes back the last one, then the one before, then says that there is none", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, "0");
    for (const text of ["1", "2"]) await ledger.carryOut("mend", writes(file, text));
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), "1");
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), "0");
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });

  test("keeps what is there now, and can be undone itself", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, "old");
    await ledger.carryOut("mend", writes(file, "new"));
    await writeFile(file, "edited by hand since", { mode: 0o640 });
    await chmod(file, 0o640);
    await ledger.undo(undefined, { isForced: true });
    const [undone] = await ledger.entries();
    assert.equal(undone?.repair, "undo");
    await ledger.undo(undone?.id);
    assert.equal(await readFile(file, "utf8"), "edited by hand since");
    assert.equal(await modeOf(file), 0o640);
  });

  // undo of the first of two changes of a file, and of an edit after them, took all three back without a word
  test("of a file that was edited since is refused, unless it is meant", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, "0");
    const { id } = await ledger.carryOut("first", writes(file, "1"));
    await writeFile(file, "2");
    const refusal = { code: "USAGE", message: new RegExp(`${id} as ${file} was edited since.*--yes`) };
    await assert.rejects(ledger.undo(id), refusal);
    assert.equal(await readFile(file, "utf8"), "2");
    await ledger.undo(id, { isForced: true });
    assert.equal(await readFile(file, "utf8"), "0");
    await ledger.carryOut("third", writes(file, "3"));
    await rm(file);
    await assert.rejects(ledger.undo(undefined), { code: "USAGE", message: /was edited since/ });
    await ledger.undo(undefined, { isForced: true });
    assert.equal(await readFile(file, "utf8"), "0");
  });

  test("takes back the one that is named, once", async (t) => {
    const { ledger, folder } = await setUp(t);
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    const { id } = await ledger.carryOut("mend", writes(one, "1"));
    await ledger.carryOut("mend", writes(two, "2"));
    await ledger.undo(id);
    await assert.rejects(stat(one), { code: "ENOENT" });
    assert.equal(await readFile(two, "utf8"), "2");
    await assert.rejects(ledger.undo(id), { code: "USAGE", message: /was undone before/ });
  });

  // `harden --apply` makes chains of one file. An undo of the first took the second with it, without a word; the undo
  // of the second then brought the first back.
  test("out of order is refused and names the newer repair; in order all come off", async (t) => {
    const { ledger, file } = await setUp(t);
    await writeFile(file, "0");
    const first = await ledger.carryOut("mend", writes(file, "1"));
    const second = await ledger.carryOut("mend", writes(file, "2"));
    await assert.rejects(ledger.undo(first.id), {
      code: "USAGE",
      message: new RegExp(`Cannot undo ${first.id} as ${second.id} changed .*doctor undo ${second.id}`),
    });
    assert.equal(await readFile(file, "utf8"), "2");
    await ledger.undo(second.id);
    await ledger.undo(first.id);
    assert.equal(await readFile(file, "utf8"), "0");
  });

  test("says that there is none of that name, and that a start cannot be undone", async (t) => {
    const { ledger } = await setUp(t);
    await assert.rejects(ledger.undo("r-0-000000"), { code: "NOTHING_RECORDED", message: /r-0-000000/ });
    const start: Plan = { what: "start it", risk: "safe", apply: async () => undefined };
    const { id } = await ledger.carryOut("start", start);
    await assert.rejects(ledger.undo(id), { code: "USAGE", message: /changed no file/ });
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });

  // a gateway that was started since has a lock of its own there
  test("does not lose what stands now where a file was moved from", async (t) => {
    const { ledger, folder } = await setUp(t);
    const lock = join(folder, "gateway.lock");
    await writeFile(lock, "stale");
    await ledger.carryOut("move-stale-lock", {
      what: "move it",
      risk: "safe",
      undo: [{ kind: "move", from: `${lock}.stale`, to: lock }],
      apply: () => rename(lock, `${lock}.stale`),
    });
    await writeFile(lock, "of a living gateway");
    await assert.rejects(ledger.undo(undefined), { code: "USAGE", message: /was made since/ });
    const texts = await Promise.all(
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")),
    );
    assert.ok(texts.includes("of a living gateway"));
    assert.ok(texts.includes("stale"));
  });

  // killed between the note and the move
  test("of a move that was never made leaves everything, and is not asked for again", async (t) => {
    const { ledger, folder } = await setUp(t);
    const lock = join(folder, "gateway.lock");
    await writeFile(lock, "stale");
    await new Promise<void>((noted) => {
      const apply = () => {
        noted();
        return new Promise<void>(() => undefined); // as far as it got
      };
      const undo = [{ kind: "move", from: `${lock}.stale`, to: lock }] as const;
      void ledger.carryOut("move-stale-lock", { what: "move it", risk: "safe", undo, apply });
    });
    assert.equal((await ledger.entries())[0]?.state, "begun");
    await ledger.undo(undefined);
    assert.equal(await readFile(lock, "utf8"), "stale");
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });
});

test("undo with a command that fails is an error, and can be asked for again", async (t) => {
  const { ledger } = await setUp(t);
  const command = [process.execPath, "-e", "process.exit(1)"];
  const plan: Plan = {
    what: "run",
    risk: "safe",
    undo: [{ kind: "run", command }],
    apply: async () => undefined,
  };
  const { id } = await ledger.carryOut("mend", plan);
  for (const asked of [undefined, id]) {
    await assert.rejects(ledger.undo(asked), {
      code: "CONTROL_FAILED",
      message: /process\.exit\(1\) failed/,
    });
  }
});

describe("the entries", () => {
  test("are none before the first repair", async (t) => {
    assert.deepEqual(await (await setUp(t)).ledger.entries(), []);
  });

  test("are the newest first", async (t) => {
    const { ledger, file } = await setUp(t);
    for (const text of ["1", "2", "3"]) await ledger.carryOut(`mend-${text}`, writes(file, text));
    assert.deepEqual(
      (await ledger.entries()).map(({ repair }) => repair),
      ["mend-3", "mend-2", "mend-1"],
    );
  });

  test("are the newest first within a millisecond, too", async (t) => {
    const { folder, file } = await setUp(t);
    const ledger = new Ledger(join(folder, "state"), () => 1_795_000_000_000);
    const names = Array.from({ length: 8 }, (_, index) => `mend-${index}`);
    for (const name of names) await ledger.carryOut(name, writes(file, name));
    assert.deepEqual(
      (await ledger.entries()).map(({ repair }) => repair),
      names.reverse(),
    );
  });

  test("do without what is half written, and what others left there", async (t) => {
    const { ledger, folder, file } = await setUp(t);
    const { id } = await ledger.carryOut("mend", writes(file, "new"));
    const repairs = join(folder, "state", "repairs");
    await mkdir(join(repairs, "r-abc-012345.tmp"));
    await mkdir(join(repairs, "r-abd-012345"));
    await writeFile(join(repairs, "r-abe-012345"), "no folder");
    await writeFile(join(repairs, "notes.txt"), "mine");
    assert.deepEqual(
      (await ledger.entries()).map((entry) => entry.id),
      [id],
    );
  });
});

// Copies of configs, with their tokens, were kept for ever.
describe("the ledger is bounded", () => {
  const DAY_MS = 24 * 3_600_000;
  const BEGIN = Date.parse("2026-11-22T12:00:00.000Z");

  /** A ledger at a time that the test sets. */
  async function clocked(t: TestContext) {
    const { folder, file } = await setUp(t);
    const clock = { now: BEGIN };
    const ledger = new Ledger(join(folder, "state"), () => clock.now);
    const mend = async (text: string) => (await ledger.carryOut("mend", writes(file, text))).id;
    const ids = async () => (await ledger.entries()).map(({ id }) => id);
    return { ledger, clock, mend, ids };
  }

  test("in days: after 90 a repair is gone, with its copies", async (t) => {
    const { clock, mend, ids } = await clocked(t);
    const old = await mend("1");
    clock.now = BEGIN + 90 * DAY_MS;
    const newer = await mend("2");
    assert.deepEqual(await ids(), [newer, old]);
    clock.now = BEGIN + 91 * DAY_MS;
    const newest = await mend("3");
    assert.deepEqual(await ids(), [newest, newer]);
  });

  test("in number, but for what may be undone for 30 days", () => {
    const entry = (index: number, ageDays: number, state: LedgerEntry["state"]): LedgerEntry => ({
      id: `r-${index}`,
      repair: "mend",
      what: "mend it",
      at: new Date(BEGIN - ageDays * DAY_MS).toISOString(),
      state,
      undo: [{ kind: "mode", path: "/a", mode: 0o600 }],
    });
    const gone = (count: number, ageDays: number, state: LedgerEntry["state"]) => {
      const entries = Array.from({ length: count }, (_, index) => entry(index, ageDays, state));
      return outdated(entries, BEGIN).length;
    };
    assert.equal(gone(100, 1, "undone"), 0);
    assert.equal(gone(103, 1, "undone"), 3);
    assert.equal(gone(103, 1, "failed"), 3);
    assert.equal(gone(103, 29, "done"), 0);
    assert.equal(gone(103, 31, "done"), 3);
    const adopted = { ...entry(0, 365, "done"), undoneBy: "clawkit adopt --undo" };
    assert.deepEqual(outdated([adopted], BEGIN), []);
    assert.equal(outdated([{ ...adopted, state: "undone" }], BEGIN).length, 1);
  });
});

describe("a kill -9 in the middle", () => {
  const KILLS = 12;
  const LANES = 2;

  /** Lets the program repair a file, kills it after a random time, and looks at what is left. */
  async function killOnce(t: TestContext, random: Random): Promise<void> {
    const { ledger, folder, file } = await setUp(t);
    await writeFile(file, OLD, { mode: 0o640 });
    const [node, ...args] = program("repairs", join(folder, "state"), file);
    const child = spawn(node!, args, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, random.below(30)));
    child.kill("SIGKILL");
    await exited;

    const found = await readFile(file, "utf8");
    assert.ok(found === OLD || found === NEW, `${found.length} bytes of neither`);
    const [last] = await ledger.entries();
    const before = last?.what === "new" ? OLD : NEW;
    await ledger.undo(undefined);
    assert.ok((await readFile(file, "utf8")) === before, `undoing ${last?.id} (${last?.state})`);
  }

  test(`leaves the old text or the new one, and undo brings back the one before (${KILLS} times)`, async (t) => {
    const seed = Date.now();
    t.diagnostic(`seed ${seed}`);
    const random = new Random(seed);
    const lane = async () => {
      for (let i = 0; i < KILLS / LANES; i++) await killOnce(t, random);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  });
});
