import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { isCorruption } from "./database-file.ts";
import { MemoryStore } from "./memory-store.ts";
import { openStore } from "./open-store.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { testStore } from "./store.suite.ts";

const T = Date.UTC(2026, 10, 22, 10);
const END = {
  at: T + 5,
  by: "client",
  code: 1000,
  reason: "",
  phase: "open",
  cause: "client-closed",
  bytesIn: 0,
  bytesOut: 0,
  framesIn: 0,
  framesOut: 0,
  lastActivityAt: T,
  rttMs: null,
} as const;

testStore("MemoryStore", () => ({ store: new MemoryStore(), [Symbol.dispose]: () => undefined }));

testStore("SqliteStore", () => {
  const folder = storeFolder();
  const store = new SqliteStore(folder.path);
  return {
    store,
    [Symbol.dispose]() {
      store.close();
      folder[Symbol.dispose]();
    },
  };
});

describe("a store in a file", () => {
  test("has it all when it is opened again", () => {
    using folder = storeFolder();
    const before = new SqliteStore(folder.path);
    open(before, "a", T);
    before.serveConnection("a", 1);
    before.closeConnection("a", END, null);
    before.addNote({ at: T, kind: "clock-set", text: "x" });
    const kept = before.connection("a");
    before.close();
    using after = disposable(new SqliteStore(folder.path));
    assert.deepEqual(after.store.connection("a"), kept);
    assert.equal(after.store.notes(T, T).length, 1);
  });

  test("is read while another writes", () => {
    using folder = storeFolder();
    using writer = disposable(new SqliteStore(folder.path));
    writer.store.transaction(() => {
      open(writer.store, "a", T);
      using reader = disposable(new SqliteStore(folder.path, { readOnly: true }));
      assert.equal(reader.store.countConnections({}), 0);
    });
    using reader = disposable(new SqliteStore(folder.path, { readOnly: true }));
    assert.equal(reader.store.countConnections({}), 1);
  });

  test("that is only read takes no writes", () => {
    using folder = storeFolder();
    new SqliteStore(folder.path).close();
    using reader = disposable(new SqliteStore(folder.path, { readOnly: true }));
    assert.throws(() => open(reader.store, "a", T), /readonly/);
  });

  test("that is only read must be there", () => {
    using folder = storeFolder();
    assert.throws(() => new SqliteStore(folder.path, { readOnly: true }), /unable to open/);
  });

  for (const readOnly of [false, true]) {
    test(`of a newer version is refused, ${readOnly ? "to read" : "to write"}`, () => {
      using folder = storeFolder();
      new SqliteStore(folder.path).close();
      setVersion(folder.path, SCHEMA_VERSION + 1);
      assert.throws(() => new SqliteStore(folder.path, { readOnly }), {
        name: "ClawkitError",
        code: "STATE_UNUSABLE",
        message: `Cannot use the flight recorder's store as it has version ${SCHEMA_VERSION + 1}, and this ClawKit knows ${SCHEMA_VERSION}: update ClawKit`,
      });
    });
  }

  test("of a newer version is no corruption", () => {
    using folder = storeFolder();
    new SqliteStore(folder.path).close();
    setVersion(folder.path, SCHEMA_VERSION + 1);
    assert.throws(
      () => new SqliteStore(folder.path),
      (error) => !isCorruption(error),
    );
  });

  test("gives the pages of removed rows back to the system", () => {
    using folder = storeFolder();
    const store = new SqliteStore(folder.path);
    store.transaction(() => {
      for (let i = 0; i < 20_000; i++) {
        open(store, `c${i}`, T);
        store.closeConnection(`c${i}`, END, null);
      }
    });
    store.close();
    const full = statSync(folder.path).size;
    const again = new SqliteStore(folder.path);
    while (again.prune(T, { maxBytes: 1, maxAgeMs: 1e12, maxConnections: 1e6 }) > 0);
    again.close();
    assert.ok(statSync(folder.path).size < full / 10, `${full} → ${statSync(folder.path).size} bytes`);
  });
});

describe("a store opened by the recorder", () => {
  test("is its owner's alone, with what SQLite keeps beside it", () => {
    using folder = storeFolder();
    const { store } = openStore(folder.path, T);
    open(store, "a", T);
    const modes = ["", "-wal", "-shm"].map((end) => statSync(folder.path + end).mode & 0o777);
    store.close();
    assert.deepEqual(modes, [0o600, 0o600, 0o600]);
  });
});

function storeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "clawkit-store-"));
  return {
    path: join(folder, "recorder.db"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function disposable(store: SqliteStore) {
  return { store, [Symbol.dispose]: () => store.close() };
}

function open(store: Pick<SqliteStore, "openConnection">, id: string, openedAt: number): void {
  store.openConnection({ id, openedAt, address: "192.0.2.7", origin: null, path: "/" });
}

function setVersion(path: string, version: number): void {
  using db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${version}`);
}
