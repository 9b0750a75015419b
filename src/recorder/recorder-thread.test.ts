import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import type { ConnectionEnd, RecorderEvent } from "../core/records.ts";
import type { RunRecord } from "../core/run-record.ts";
import { type FromThread, RecorderThread, type ToThread } from "./recorder-thread.ts";
import { SqliteStore } from "./sqlite-store.ts";

const SECOND = 1000;
const T = Date.UTC(2026, 10, 22, 10);
const DAY = 24 * 3_600 * SECOND;

describe("the recorder's thread", () => {
  test("writes a batch and says so", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    thread.events(opened("e1-a", 0), opened("e1-b", 1));
    assert.deepEqual(await thread.next(), { type: "done", written: 2, lost: 0 });
    assert.deepEqual(
      state.read((store) => store.connections({}, 9).map(({ id }) => id)),
      ["e1-b", "e1-a"],
    );
  });

  test("answers batches in their order, an empty one too", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    thread.events(opened("e1-a", 0));
    thread.events();
    thread.events(opened("e1-b", 1), opened("e1-c", 1));
    assert.deepEqual(await thread.take(3), [
      { type: "done", written: 1, lost: 0 },
      { type: "done", written: 0, lost: 0 },
      { type: "done", written: 2, lost: 0 },
    ]);
  });

  test("closes its store when it is told to, after what came before", async () => {
    await using state = stateFolder();
    const thread = state.start();
    thread.events(opened("e1-a", 0));
    thread.post({ type: "close" });
    assert.deepEqual(
      (await thread.take(2)).map(({ type }) => type),
      ["done", "closed"],
    );
    assert.deepEqual(state.names(), ["recorder.db"]);
  });

  test("keeps what it is told of a connection from its beginning to its end", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    const client = { clientId: "panel", clientVersion: "1.2", role: "operator" };
    thread.events(
      opened("e1-a", 0),
      { type: "connection-served", id: "e1-a", generation: 3 },
      { type: "connection-identified", id: "e1-a", client },
      closed("e1-a", 5),
    );
    await thread.next();
    const row = state.read((store) => store.connection("e1-a"));
    assert.deepEqual([row?.generation, row?.clientId, row?.end?.at], [3, "panel", T + 5 * SECOND]);
  });

  test("forgets what is too old when it begins", async () => {
    await using state = stateFolder();
    state.write((store) => store.addNote({ at: T - 31 * DAY, kind: "clock-set", text: "x" }));
    await using thread = state.start();
    thread.events();
    await thread.next();
    assert.deepEqual(
      state.read((store) => store.notes(0, T)),
      [],
    );
  });

  test("closes the connections of an edge that is gone, and leaves its own", async () => {
    await using state = stateFolder();
    state.write((store) => {
      for (const id of ["e0-a", "e1-a"])
        store.openConnection({ id, openedAt: T - 1, address: "192.0.2.7", origin: null, path: "/" });
    });
    await using thread = state.start();
    thread.events();
    await thread.next();
    assert.deepEqual(
      state.read((store) =>
        store
          .connections({}, 9)
          .map(({ id, end }) => [id, end?.cause])
          .sort(),
      ),
      [
        ["e0-a", "edge-ended"],
        ["e1-a", undefined],
      ],
    );
  });
});

describe("news of incidents", () => {
  test("are told when they begin and when they are over, after their batch is kept", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    thread.events(opened("e1-a", 0), { type: "connection-served", id: "e1-a", generation: 1 });
    thread.events({ ...closed("e1-a", 5), end: connectionEnd(5, "gateway-ended") });
    thread.events({ type: "gateway-state", at: T + 9 * SECOND, generation: 2, state: "ready" });
    const news = (await thread.take(5)).filter((message) => message.type === "incident");
    assert.deepEqual(
      news.map(({ change, incident }) => [
        change,
        incident.role,
        incident.openedAt,
        incident.closedAt,
        incident.clients,
      ]),
      [
        ["opened", "gateway", "2026-11-22T10:00:05.000Z", null, 1],
        ["closed", "gateway", "2026-11-22T10:00:05.000Z", "2026-11-22T10:00:09.000Z", 1],
      ],
    );
  });

  test("of a hang that recovers", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    const why = "no answer for 30 s";
    thread.events(
      { type: "gateway-silent", at: T, generation: 1, why, isSupervised: true },
      { type: "gateway-state", at: T + SECOND, generation: 1, state: "ready" },
    );
    const news = (await thread.take(3)).filter((message) => message.type === "incident");
    assert.deepEqual(
      news.map(({ change, incident }) => [change, incident.cause, incident.summary]),
      [
        ["opened", "wedged-process", `it lives and does not answer: ${why}`],
        ["closed", "wedged-process", `it lives and does not answer: ${why}`],
      ],
    );
  });
});

describe("the run log", () => {
  test("is taken over when the thread begins", async () => {
    await using state = stateFolder();
    state.log(start(1, 0), end(1, 5));
    await using thread = state.start();
    assert.equal((await thread.next()).type, "incident");
    assert.equal(state.read((store) => store.runs({}, 9)).length, 1);
  });

  test("is read on when the edge hears that there is more", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    state.log(start(1, 0));
    thread.events({ type: "runs-changed", at: T });
    await thread.next();
    assert.equal(state.read((store) => store.runs({ openOnly: true }, 9)).length, 1);
    state.log(end(1, 5));
    thread.events({ type: "runs-changed", at: T });
    await thread.next();
    assert.equal(state.read((store) => store.runs({ openOnly: true }, 9)).length, 0);
  });

  test("is read before the connections of its batch: what the supervisor wrote explains them", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    state.log(start(1, 0), end(1, 5));
    thread.events(
      opened("e1-a", 1),
      { type: "connection-served", id: "e1-a", generation: 1 },
      { ...closed("e1-a", 5), end: connectionEnd(5, "gateway-ended") },
      { type: "runs-changed", at: T },
    );
    await thread.until("done");
    const [incident] = state.read((store) => store.incidents({}, 9));
    assert.deepEqual([incident?.cause, incident?.noticedBy], ["unexplained-exit", "supervisor"]);
    assert.equal(
      state.read((store) => store.countConnections({ incident: incident!.id })),
      1,
    );
  });

  test("that was rotated, with half a line at its end, loses nothing", async () => {
    await using state = stateFolder();
    state.log(start(1, 0));
    await using thread = state.start();
    const text = `${JSON.stringify(end(1, 5))}\n`;
    writeFileSync(`${state.runLog}.new`, `${JSON.stringify(start(1, 0))}\n${text.slice(0, 30)}`);
    renameSync(`${state.runLog}.new`, state.runLog);
    thread.events({ type: "runs-changed", at: T });
    await thread.next();
    appendFileSync(state.runLog, text.slice(30));
    thread.events({ type: "runs-changed", at: T });
    await thread.until("done");
    assert.deepEqual(
      state.read((store) => store.runs({}, 9).map(({ endedAt }) => endedAt)),
      [T + 5 * SECOND],
    );
  });
});

describe("a store that breaks", () => {
  const begun = /^the flight recorder's store was corrupt: it is kept as .+, and a new one was begun$/;

  test("before the thread begins is replaced, and that is noted in the new one", async () => {
    await using state = stateFolder();
    writeFileSync(state.store, "this is no store at all".repeat(100));
    await using thread = state.start();
    const announced = await thread.until("announcement");
    assert.match(announced.text, begun);
    assert.deepEqual(
      state.read((store) => store.notes(0, T).map(({ kind, text }) => [kind, text])),
      [["store-replaced", announced.text]],
    );
  });

  test("while it is in use is replaced; the batch and the run log are in the new one", async () => {
    await using state = stateFolder();
    state.fill();
    state.log(start(1, 0));
    await using thread = state.start();
    state.breakMiddle();
    thread.events(opened("e1-a", 0), opened("e1-b", 1));
    assert.match((await thread.until("announcement")).text, begun);
    assert.deepEqual(await thread.until("done"), { type: "done", written: 2, lost: 0 });
    assert.equal(
      state.read((store) => store.countConnections({})),
      2,
    );
    assert.equal(state.read((store) => store.runs({}, 9)).length, 1);
    assert.equal(
      state.names().filter((name) => name.includes(".corrupt-") && !/-(wal|shm)$/.test(name)).length,
      1,
    );
  });
});

// the lock of another process is what SQLite waits for, for 2 s: the only trouble that comes and goes without root
describe("a store that cannot be written for a while", () => {
  test("loses batches, which is announced once and counted, until it works again", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    thread.events(opened("e1-a", 0));
    await thread.until("done");
    {
      using other = new DatabaseSync(state.store);
      other.exec("BEGIN IMMEDIATE");
      thread.events(opened("e1-b", 1), opened("e1-c", 1));
      thread.events(opened("e1-d", 2));
      const lost = await thread.take(3);
      assert.deepEqual(
        lost.map((message) => (message.type === "announcement" ? message.text : message)),
        [
          "Cannot write the flight recorder's store: database is locked. Records are lost until it works again",
          { type: "done", written: 0, lost: 2 },
          { type: "done", written: 0, lost: 1 },
        ],
      );
      other.exec("ROLLBACK");
    }
    thread.events(opened("e1-e", 3));
    const text = "Writing the flight recorder's store works again; 3 records were lost";
    assert.deepEqual(await thread.take(2), [
      { type: "announcement", text },
      { type: "done", written: 1, lost: 0 },
    ]);
    assert.deepEqual(
      state.read((store) => store.connections({}, 9).map(({ id }) => id)),
      ["e1-e", "e1-a"],
    );
    assert.deepEqual(
      state.read((store) => store.notes(0, T).map(({ kind }) => kind)),
      ["records-dropped"],
    );
  });

  test("takes over what the run log got in the meantime", async () => {
    await using state = stateFolder();
    await using thread = state.start();
    {
      using other = new DatabaseSync(state.store);
      other.exec("BEGIN IMMEDIATE");
      state.log(start(1, 0), end(1, 5));
      thread.events({ type: "runs-changed", at: T });
      await thread.until("done");
      other.exec("ROLLBACK");
    }
    thread.events({ type: "runs-changed", at: T });
    assert.deepEqual(await thread.until("incident").then(({ change }) => change), "opened");
    await thread.until("done");
    assert.equal(state.read((store) => store.runs({}, 9)).length, 1);
  });
});

describe("without a place for its file", () => {
  test("the thread announces it and keeps records in memory", async () => {
    await using state = stateFolder();
    rmSync(state.folder, { recursive: true });
    writeFileSync(state.folder, "");
    await using thread = state.start();
    assert.match(
      (await thread.until("announcement")).text,
      /^Cannot use .+ in memory until the edge starts again$/,
    );
    thread.events(opened("e1-a", 0));
    assert.deepEqual(await thread.next(), { type: "done", written: 1, lost: 0 });
  });
});

/** A state folder of the test's own. */
function stateFolder() {
  const root = mkdtempSync(join(tmpdir(), "clawkit-thread-"));
  const folder = join(root, "state");
  mkdirSync(folder);
  const store = join(folder, "recorder.db");
  const runLog = join(root, "runs.jsonl");
  const use = <T>(work: (store: SqliteStore) => T, readOnly: boolean): T => {
    const opened = new SqliteStore(store, { readOnly });
    try {
      return work(opened);
    } finally {
      opened.close();
    }
  };
  return {
    folder,
    store,
    runLog,
    names: () => readdirSync(folder).sort(),
    read: <T>(work: (store: SqliteStore) => T) => use(work, true),
    write: (work: (store: SqliteStore) => void) => use(work, false),
    /** Rows on many pages. */
    fill: () =>
      use((opened) => {
        opened.transaction(() => {
          for (let i = 0; i < 2_000; i++) {
            opened.openConnection({
              id: `e1-${i}`,
              openedAt: T,
              address: "192.0.2.7",
              origin: null,
              path: "/",
            });
          }
        });
      }, false),
    /** All pages but the first, which has the schema. */
    breakMiddle() {
      const file = openSync(store, "r+");
      writeSync(file, Buffer.alloc(statSync(store).size - 4_096, 0xff), 0, undefined, 4_096);
      closeSync(file);
    },
    log: (...records: readonly RunRecord[]) =>
      appendFileSync(runLog, records.map((record) => `${JSON.stringify(record)}\n`).join("")),
    start: () => startThread(store, runLog),
    [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true }),
  };
}

/** The thread's other side; the thread itself runs in this one, between two messages. */
function startThread(storePath: string, runLogPath: string) {
  const { port1, port2 } = new MessageChannel();
  const bounds = { maxBytes: 1e9, maxAgeMs: 30 * DAY, maxConnections: 1e6 };
  new RecorderThread(port2, { storePath, runLogPath, edgeId: "e1", bounds }, () => T);
  const arrived: FromThread[] = [];
  let wake = Promise.withResolvers<void>();
  port1.on("message", (message: FromThread) => {
    arrived.push(message);
    wake.resolve();
  });

  const next = async (): Promise<FromThread> => {
    while (arrived.length === 0) {
      await wake.promise;
      wake = Promise.withResolvers();
    }
    return arrived.shift()!;
  };
  const until = async <K extends FromThread["type"]>(type: K): Promise<Extract<FromThread, { type: K }>> => {
    for (;;) {
      const message = await next();
      if (message.type === type) return message as Extract<FromThread, { type: K }>;
    }
  };
  const post = (message: ToThread) => port1.postMessage(message);
  return {
    next,
    until,
    post,
    events: (...events: readonly RecorderEvent[]) => post({ type: "events", events }),
    async take(count: number): Promise<FromThread[]> {
      const messages: FromThread[] = [];
      while (messages.length < count) messages.push(await next());
      return messages;
    },
    async [Symbol.asyncDispose]() {
      post({ type: "close" });
      await until("closed");
    },
  };
}

function opened(id: string, second: number): RecorderEvent {
  const at = T + second * SECOND;
  return { type: "connection-opened", id, at, address: "192.0.2.7", origin: null, path: "/" };
}

function closed(id: string, second: number): Extract<RecorderEvent, { type: "connection-closed" }> {
  return { type: "connection-closed", id, end: connectionEnd(second, "client-closed") };
}

function connectionEnd(second: number, cause: ConnectionEnd["cause"]): ConnectionEnd {
  return {
    at: T + second * SECOND,
    by: "client",
    code: 1000,
    reason: "",
    phase: "open",
    cause,
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    framesOut: 0,
    lastActivityAt: T,
    rttMs: null,
  };
}

function start(generation: number, second: number): RunRecord {
  const own = { event: "start", startTime: "t", command: "x", ownGroup: true } as const;
  return { ...head(generation, second), ...own };
}

function end(generation: number, second: number): RunRecord {
  const how = { code: 1, signal: null, by: "itself" } as const;
  return { ...head(generation, second), event: "end", end: how, uptimeMs: 1, lastLines: ["Error: no"] };
}

function head(generation: number, second: number) {
  const at = new Date(T + second * SECOND).toISOString();
  return { v: 1, at, bootId: "boot-a", role: "gateway", generation, pid: 30 + generation } as const;
}
