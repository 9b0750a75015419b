import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { machineWith, NOW } from "../../../test/helpers/machine.ts";
import type { ConnectionEnd } from "../../core/records.ts";
import { MemoryStore } from "../../recorder/memory-store.ts";
import { SqliteStore } from "../../recorder/sqlite-store.ts";
import type { IncidentRow, RecorderStore, RunRow } from "../../recorder/store.ts";
import { history } from "./history.ts";

const MINUTE_MS = 60_000;

const incident: IncidentRow = {
  id: "i-1",
  kind: "outage",
  role: "gateway",
  openedAt: NOW - MINUTE_MS,
  closedAt: null,
  cause: "oom",
  verdict: "confirmed",
  summary: "V8 had no heap left",
  noticedBy: "supervisor",
  evidence: ["its last words", "exit code 134", "the report", "one too many"],
  unknown: [],
  generation: 3,
  ends: 1,
  crash: null,
};

const run: RunRow = {
  key: "boot gateway 3",
  role: "gateway",
  generation: 3,
  pid: 4711,
  bootId: "boot",
  command: "node server.js",
  configHash: null,
  startedAt: NOW - 60 * MINUTE_MS,
  readyAt: NOW - 59 * MINUTE_MS,
  endedAt: NOW - MINUTE_MS,
  code: null,
  signal: "SIGABRT",
  endedBy: null,
  peakRssBytes: null,
  peakHeapBytes: null,
  lastLines: ["one", "two", "three", "four"],
  exit: null,
  crash: null,
};

const end: ConnectionEnd = {
  at: NOW - MINUTE_MS,
  by: "gateway",
  code: 1008,
  reason: "pairing required",
  phase: "open",
  cause: "pairing-or-auth-rejected",
  bytesIn: 0,
  bytesOut: 0,
  framesIn: 0,
  framesOut: 0,
  lastActivityAt: NOW,
  rttMs: null,
};

function connect(store: RecorderStore, id: string, changes: Partial<ConnectionEnd> = {}): void {
  store.openConnection({ id, openedAt: NOW - 2 * MINUTE_MS, address: "10.0.0.5", origin: null, path: "/" });
  store.closeConnection(id, { ...end, ...changes }, null);
}

for (const [name, open] of [
  ["in memory", () => new MemoryStore()],
  ["in SQLite", () => new SqliteStore(":memory:")],
] as const) {
  describe(`the flight recorder ${name}`, () => {
    function storeOf(t: TestContext): RecorderStore {
      const store = open();
      t.after(() => store.close());
      return store;
    }

    const look = (store: RecorderStore) =>
      history.look(machineWith({ hasOwnState: async () => true, records: async (use) => use(store) }));
    const ids = async (store: RecorderStore) => (await look(store)).map(({ id }) => id);

    test("knows nothing when it is new", async (t) => assert.deepEqual(await look(storeOf(t)), []));

    test("knows why the gateway is away, with evidence and last lines, three of each", async (t) => {
      const store = storeOf(t);
      store.saveRun(run);
      store.saveIncident(incident);
      const [cause, ...around] = await look(store);
      assert.deepEqual(cause, {
        id: "ended-oom",
        detail: `the gateway ended at ${new Date(incident.openedAt).toISOString()}: V8 had no heap left`,
        source: "clawkit why i-1",
        at: new Date(incident.openedAt).toISOString(),
      });
      assert.deepEqual(
        around.map(({ id, detail }) => `${id} ${detail}`),
        [
          ...["its last words", "exit code 134", "the report"].map((one) => `exit-evidence ${one}`),
          ...["two", "three", "four"].map((one) => `exit-line ${one}`),
        ],
      );
    });

    test("tells what is likely from what is confirmed", async (t) => {
      const store = storeOf(t);
      store.saveIncident({ ...incident, verdict: "likely", evidence: [] });
      assert.deepEqual(await ids(store), ["ended-oom-likely"]);
    });

    test("knows why it was away today, and has forgotten it two days later", async (t) => {
      const store = storeOf(t);
      store.saveRun(run);
      store.saveIncident({ ...incident, evidence: ["x"], closedAt: incident.openedAt + 3_000 });
      const [cause, evidence, line] = await look(store);
      assert.deepEqual(
        [cause?.id, evidence?.id, line?.id],
        ["ended-oom-recently", "past-evidence", "past-line"],
      );
      assert.match(cause?.detail ?? "", /, back after 3\.0 s$/);
      const openedAt = NOW - 48 * 60 * MINUTE_MS;
      store.saveIncident({ ...incident, openedAt, closedAt: openedAt + 1 });
      assert.deepEqual(await ids(store), []);
    });

    test("knows that its operator stopped it, after the last outage", async (t) => {
      const store = storeOf(t);
      store.saveIncident({ ...incident, openedAt: NOW - 30 * MINUTE_MS, closedAt: NOW - 29 * MINUTE_MS });
      store.saveRun({ ...run, endedBy: "operator" });
      assert.deepEqual(await ids(store), ["stopped-by-operator"]);
    });

    test("knows what became of clients just now, counted by cause", async (t) => {
      const store = storeOf(t);
      connect(store, "c-1");
      connect(store, "c-2");
      connect(store, "c-3", { cause: "client-closed", by: "client", code: 1000 });
      connect(store, "c-4", { at: NOW - 60 * MINUTE_MS, cause: "payload-too-large" });
      const facts = await look(store);
      assert.deepEqual(
        facts.map(({ id }) => id),
        ["clients-pairing-or-auth-rejected"],
      );
      assert.match(
        facts[0]!.detail,
        /^2 connections .* of 10\.0\.0\.5, by the gateway with 1008 "pairing required"$/,
      );
    });

    test("takes a gateway's 1002 for a client of another version", async (t) => {
      const store = storeOf(t);
      connect(store, "c-1", { code: 1002, cause: "gateway-closed" });
      assert.deepEqual(await ids(store), ["clients-protocol-mismatch"]);
    });

    test("knows of a burst of disconnects", async (t) => {
      const store = storeOf(t);
      const openedAt = NOW - MINUTE_MS;
      store.saveIncident({ ...incident, kind: "burst", role: "clients", openedAt, closedAt: NOW });
      assert.deepEqual(await ids(store), ["clients-burst"]);
    });
  });
}

test("a machine that never saw ClawKit has no flight recorder", async () => {
  const records = () => Promise.reject(new Error("nothing is opened"));
  assert.deepEqual(await history.look(machineWith({ records })), []);
});
