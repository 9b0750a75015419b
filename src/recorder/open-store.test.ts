import assert from "node:assert/strict";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { MemoryStore } from "./memory-store.ts";
import { openStore, replaceStore } from "./open-store.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";

const T = Date.UTC(2026, 10, 22, 10);
const ASIDE = "recorder.db.corrupt-2026-11-22T10-00-00-000Z";

describe("opening", () => {
  test("a store that is not there makes it, and says nothing of it", () => {
    using folder = storeFolder();
    using opened = opening(folder.path);
    assert.ok(opened.store instanceof SqliteStore);
    assert.equal(opened.announcement, undefined);
    assert.equal(statSync(folder.path).mode & 0o777, 0o600);
  });

  test("a store whose mode was opened up closes it again", () => {
    using folder = storeFolder();
    writeFileSync(folder.path, "", { mode: 0o644 });
    using _opened = opening(folder.path);
    assert.equal(statSync(folder.path).mode & 0o777, 0o600);
  });

  test("a whole store has what it had", () => {
    using folder = storeFolder();
    fill(folder.path);
    using opened = opening(folder.path);
    assert.equal(opened.store.countConnections({}), 1_000);
    assert.deepEqual(folder.names(), ["recorder.db", "recorder.db-shm", "recorder.db-wal"]);
  });
});

describe("a corrupt store", () => {
  const broken: readonly [title: string, breakIt: (path: string) => void][] = [
    ["with another header", (path) => overwrite(path, 0, "this is no store at all")],
    ["whose tables cannot be found", (path) => overwrite(path, 100, "\xff".repeat(3_000))],
    ["that is something else altogether", (path) => writeFileSync(path, "x".repeat(10_000))],
  ];
  for (const [title, breakIt] of broken) {
    test(`${title} is kept aside, announced, and a new one begun`, () => {
      using folder = storeFolder();
      fill(folder.path);
      breakIt(folder.path);
      const bytes = readFileSync(folder.path);
      using opened = opening(folder.path);
      assert.equal(
        opened.announcement,
        `the flight recorder's store was corrupt: it is kept as ${join(folder.path, "..", ASIDE)}, and a new one was begun`,
      );
      assert.ok(readFileSync(join(folder.path, "..", ASIDE)).equals(bytes));
      assert.ok(opened.store instanceof SqliteStore);
      assert.equal(opened.store.countConnections({}), 0);
    });
  }

  // a log that was not written back yet belongs to the broken file, and would be played into the new one
  test("does not lend its log to the new one", () => {
    using folder = storeFolder();
    using other = storeFolder();
    const store = new SqliteStore(other.path);
    store.addNote({ at: T, kind: "clock-set", text: "x" });
    for (const companion of ["", "-wal"]) copyFileSync(other.path + companion, folder.path + companion);
    store.close();
    const log = readFileSync(`${folder.path}-wal`);
    const replaced = replaceStore(folder.path, T);
    assert.deepEqual(replaced.store.notes(T, T), []);
    replaced.store.close();
    assert.ok(log.length > 0 && readFileSync(join(folder.path, "..", `${ASIDE}-wal`)).equals(log));
  });

  // SQLite looks at a page when it needs it: what is broken in the middle is found by the one who reads it there
  test("with broken pages in its middle opens, and fails where they are read", () => {
    using folder = storeFolder();
    fill(folder.path);
    overwrite(folder.path, 4_096, "\xff".repeat(statSync(folder.path).size - 4_096));
    using opened = opening(folder.path);
    assert.equal(opened.announcement, undefined);
    assert.throws(() => opened.store.countConnections({}), { errcode: 11 });
  });

  test("that its user found broken is replaced, its files together", () => {
    using folder = storeFolder();
    fill(folder.path);
    writeFileSync(`${folder.path}-wal`, "");
    writeFileSync(`${folder.path}-shm`, "");
    const { store, announcement } = replaceStore(folder.path, T);
    assert.match(announcement!, /a new one was begun/);
    assert.equal(store.countConnections({}), 0);
    store.close();
    assert.deepEqual(folder.names(), ["recorder.db", ASIDE, `${ASIDE}-shm`, `${ASIDE}-wal`]);
  });

  test("that is gone already is begun anew", () => {
    using folder = storeFolder();
    const { store } = replaceStore(folder.path, T);
    assert.ok(store instanceof SqliteStore);
    store.close();
    assert.deepEqual(folder.names(), ["recorder.db"]);
  });
});

describe("where no file can be used", () => {
  test("records are kept in memory, and that is announced", () => {
    using folder = storeFolder();
    writeFileSync(folder.path, "");
    const path = join(folder.path, "recorder.db");
    using opened = opening(path);
    assert.ok(opened.store instanceof MemoryStore);
    assert.match(
      opened.announcement!,
      /^Cannot use .+recorder\.db\/recorder\.db \(ENOTDIR: .+in memory until/,
    );
    opened.store.addNote({ at: T, kind: "clock-set", text: "x" });
    assert.equal(opened.store.notes(T, T).length, 1);
  });

  test("a replacement is in memory too", () => {
    using folder = storeFolder();
    writeFileSync(folder.path, "");
    const { store, announcement } = replaceStore(join(folder.path, "recorder.db"), T);
    assert.ok(store instanceof MemoryStore);
    assert.match(announcement!, /in memory/);
  });

  test("the store of a newer version is left as it is", () => {
    using folder = storeFolder();
    fill(folder.path);
    {
      using db = new DatabaseSync(folder.path);
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    }
    using opened = opening(folder.path);
    assert.ok(opened.store instanceof MemoryStore);
    assert.match(opened.announcement!, /update ClawKit/);
    using db = new DatabaseSync(folder.path);
    assert.deepEqual({ ...db.prepare("SELECT count(*) AS n FROM connections").get() }, { n: 1_000 });
  });
});

function opening(path: string) {
  const opened = openStore(path, T);
  return { ...opened, [Symbol.dispose]: () => opened.store.close() };
}

/** A store of many pages, closed as it should be. */
function fill(path: string): void {
  const store = new SqliteStore(path);
  store.transaction(() => {
    for (let i = 0; i < 1_000; i++)
      store.openConnection({ id: `c${i}`, openedAt: T, address: "192.0.2.7", origin: null, path: "/" });
  });
  store.close();
}

function overwrite(path: string, offset: number, bytes: string): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from(bytes, "latin1"), 0, undefined, offset);
  closeSync(file);
}

function storeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "clawkit-store-"));
  return {
    path: join(folder, "recorder.db"),
    names: () => readdirSync(folder).sort(),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
