import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunRecord } from "../core/run-record.ts";
import { Incidents } from "./incidents.ts";
import { MemoryStore } from "./memory-store.ts";
import { RunSync } from "./run-sync.ts";
import type { IncidentRow, RunRow } from "./store.ts";

const SECOND = 1000;
const T = Date.UTC(2026, 10, 22, 10);
const PIDS = { supervisor: 10, edge: 20, gateway: 30 } as const;

type Role = keyof typeof PIDS;
type Rest<E extends RunRecord["event"]> = Partial<Extract<RunRecord, { event: E }>>;

describe("a life", () => {
  test("is its start, its readiness and its end", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), ready("gateway", 1, 2), end("gateway", 1, 60, { peakRssBytes: 9 }));
    const [run] = log.runs;
    assert.deepEqual(run, {
      key: `boot-a gateway 1 31 ${T}`,
      role: "gateway",
      generation: 1,
      pid: 31,
      bootId: "boot-a",
      command: "x",
      configHash: null,
      startedAt: T,
      readyAt: T + 2 * SECOND,
      endedAt: T + 60 * SECOND,
      code: 1,
      signal: null,
      endedBy: "itself",
      peakRssBytes: 9,
      peakHeapBytes: null,
      lastLines: ["Error: no"],
      exit: run!.exit,
      crash: null,
    });
    assert.equal(run!.exit?.cause, "unexplained-exit");
  });

  test("without an end lasts", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), ready("gateway", 1, 2));
    assert.deepEqual([log.runs[0]!.endedAt, log.runs[0]!.exit], [null, null]);
    assert.deepEqual(log.told, []);
  });

  test("told in pieces is one", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0));
    log.take(ready("gateway", 1, 2));
    log.take(end("gateway", 1, 60));
    assert.deepEqual(
      log.runs.map(({ startedAt, readyAt, endedAt }) => [startedAt, readyAt, endedAt]),
      [[T, T + 2 * SECOND, T + 60 * SECOND]],
    );
  });

  test("of a pid that was used before is another one", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0, { pid: 31 }), end("gateway", 1, 5, { pid: 31 }));
    log.take(start("gateway", 2, 6, { pid: 31 }), end("gateway", 2, 9, { pid: 31 }));
    assert.deepEqual(
      log.runs.map(({ generation, endedAt }) => [generation, endedAt]),
      [
        [1, T + 5 * SECOND],
        [2, T + 9 * SECOND],
      ],
    );
  });

  test("gets its evidence after its end", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), end("gateway", 1, 5), cause("gateway", 1, 6));
    assert.deepEqual([log.runs[0]!.exit?.cause, log.runs[0]!.crash], ["oom", "folder"]);
    assert.deepEqual([log.incident.cause, log.incident.crash], ["oom", "folder"]);
  });

  test("that nobody knows is not made ready, nor explained", () => {
    const log = new Log();
    log.take(ready("gateway", 1, 2), cause("gateway", 1, 3));
    assert.deepEqual(log.runs, []);
  });
});

describe("an end", () => {
  test("that nobody asked for is an outage until the next one is ready", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), ready("gateway", 1, 2), end("gateway", 1, 60));
    assert.deepEqual(log.told, ["gateway 60– unexplained-exit"]);
    log.take(start("gateway", 2, 61), ready("gateway", 2, 63));
    assert.deepEqual(log.told, ["gateway 60–63 unexplained-exit"]);
    assert.equal(log.incident.noticedBy, "supervisor");
  });

  test("that its operator asked for is none", () => {
    const log = new Log();
    log.take(
      start("gateway", 1, 0),
      end("gateway", 1, 60, { end: { code: 0, signal: null, by: "operator" } }),
    );
    log.take(cause("gateway", 1, 61));
    assert.deepEqual(log.told, []);
    assert.equal(log.runs[0]!.endedBy, "operator");
  });

  test("of one that was to follow another, which serves on, is none", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), ready("gateway", 1, 2));
    log.take(start("gateway", 2, 10), end("gateway", 2, 11), cause("gateway", 2, 12));
    assert.deepEqual(log.told, []);
    assert.equal(log.runs.find(({ generation }) => generation === 2)?.exit?.cause, "oom");
    log.take(end("gateway", 1, 60));
    assert.deepEqual(log.told, ["gateway 60– unexplained-exit"]);
  });

  test("of one that another is to follow is an outage until that is ready", () => {
    const log = new Log();
    log.take(start("gateway", 1, 0), ready("gateway", 1, 2), start("gateway", 2, 10));
    log.take(end("gateway", 1, 11), ready("gateway", 2, 12));
    assert.deepEqual(log.told, ["gateway 11–12 unexplained-exit"]);
  });

  test("by the supervisor, as it hung, is one", () => {
    const log = new Log();
    const how = {
      code: null,
      signal: "SIGKILL",
      by: "supervisor",
      why: "it did not answer for 30 s",
    } as const;
    log.take(start("gateway", 1, 0), end("gateway", 1, 60, { end: how }));
    assert.deepEqual(log.told, ["gateway 60– wedged-process"]);
  });

  test("of several lives in a row is one outage", () => {
    const log = new Log();
    for (const life of [1, 2, 3])
      log.take(start("gateway", life, life * 10), end("gateway", life, life * 10 + 1));
    log.take(start("gateway", 4, 40), ready("gateway", 4, 42));
    assert.deepEqual(log.told, ["gateway 11–42 unexplained-exit"]);
    assert.equal(log.incident.ends, 3);
  });

  test("without a start is that of a process that could not be started", () => {
    const log = new Log();
    const startError = "spawn /opt/gateway ENOENT";
    const failed = end("gateway", 1, 5, {
      pid: 0,
      end: { code: null, signal: null, by: "itself", startError },
    });
    log.take(failed);
    assert.deepEqual(
      log.runs.map(({ startedAt, endedAt, exit }) => [startedAt, endedAt, exit?.cause]),
      [[T + 5 * SECOND, T + 5 * SECOND, "broken-install"]],
    );
    assert.deepEqual(log.told, ["gateway 5– broken-install"]);
  });

  test("of starts that fail again and again is one outage", () => {
    const log = new Log();
    const startError = "spawn EACCES";
    for (const second of [5, 6, 8])
      log.take(
        end("gateway", second, second, {
          pid: 0,
          end: { code: null, signal: null, by: "itself", startError },
        }),
      );
    assert.equal(log.runs.length, 3);
    assert.deepEqual(log.told, ["gateway 5– start-failed"]);
    assert.equal(log.incident.ends, 3);
  });
});

describe("a supervisor that vanished", () => {
  const before = [
    start("supervisor", 1, 0),
    start("edge", 1, 1),
    start("gateway", 1, 2),
    ready("gateway", 1, 4),
  ] as const;

  test("is found by the next one: all of its lives ended without a record", () => {
    const log = new Log();
    log.take(...before, start("supervisor", 2, 100));
    assert.deepEqual(
      log.runs.map(({ role, endedAt, exit }) => [role, endedAt, exit?.cause]),
      [
        ["supervisor", T + 4 * SECOND, "ended-without-record"],
        ["edge", T + 4 * SECOND, "ended-without-record"],
        ["gateway", T + 4 * SECOND, "ended-without-record"],
        ["supervisor", null, undefined],
      ],
    );
  });

  test("is one incident, noticed by the recorder, over when a gateway serves", () => {
    const log = new Log();
    log.take(...before, start("supervisor", 2, 100), start("gateway", 2, 101));
    assert.deepEqual(log.told, ["supervisor 4– ended-without-record"]);
    log.take(ready("gateway", 2, 103));
    assert.deepEqual(log.told, ["supervisor 4–103 ended-without-record"]);
    assert.equal(log.incident.noticedBy, "recorder");
    assert.equal(log.incident.verdict, "confirmed");
  });

  test("was last known to live at its edge's last sample", () => {
    const log = new Log();
    log.take(...before);
    log.sample(90);
    log.take(start("supervisor", 2, 100));
    assert.deepEqual(log.told, ["supervisor 90– ended-without-record"]);
    assert.ok(log.incident.evidence.includes("last known to live at 2026-11-22T10:01:30.000Z"));
  });

  test("with its machine: the boot id is another one", () => {
    const log = new Log();
    log.take(...before, start("supervisor", 1, 100, { bootId: "boot-b" }));
    assert.deepEqual(log.told, ["supervisor 4– host-restarted"]);
    assert.equal(log.incident.verdict, "likely");
  });

  test("leaves nothing to find if all ends are written", () => {
    const log = new Log();
    const asked = { end: { code: 0, signal: null, by: "operator" } } as const;
    log.take(
      ...before,
      end("gateway", 1, 50, asked),
      end("edge", 1, 51, asked),
      end("supervisor", 1, 52, asked),
    );
    log.take(start("supervisor", 2, 100));
    assert.deepEqual(log.told, []);
  });

  test("and left a gateway whose end the next one wrote down: that end counts", () => {
    const log = new Log();
    log.take(...before, start("supervisor", 2, 100));
    log.take(
      end("gateway", 1, 101, { end: { code: null, signal: "SIGTERM", by: "supervisor", why: "left over" } }),
    );
    const gateway = log.runs.find(({ role }) => role === "gateway");
    assert.deepEqual([gateway?.endedAt, gateway?.exit?.cause], [T + 101 * SECOND, "wedged-process"]);
  });

  test("without a next one is found when somebody looks", () => {
    const log = new Log();
    log.take(...before);
    log.sync.nobodyLives("boot-a");
    assert.deepEqual(log.told, ["supervisor 4– ended-without-record"]);
    log.sync.nobodyLives("boot-a");
    assert.deepEqual(log.told, ["supervisor 4– ended-without-record"]);
  });
});

describe("a log that is taken twice", () => {
  const failed = { code: null, signal: null, by: "itself", startError: "spawn EACCES" } as const;
  const logs: readonly [title: string, records: readonly RunRecord[]][] = [
    [
      "with a crash, its cause and a recovery",
      [
        start("supervisor", 1, 0),
        start("edge", 1, 1),
        start("gateway", 1, 2, { configHash: "aaa" }),
        ready("gateway", 1, 3),
        end("gateway", 1, 60),
        cause("gateway", 1, 61),
        start("gateway", 2, 62, { configHash: "bbb" }),
        ready("gateway", 2, 64),
      ],
    ],
    ["with an outage under way", [start("gateway", 1, 0), end("gateway", 1, 5), start("gateway", 2, 6)]],
    [
      "with a start that failed",
      [end("gateway", 1, 5, { pid: 0, end: failed }), end("gateway", 2, 7, { pid: 0, end: failed })],
    ],
    [
      "with a supervisor that vanished",
      [
        start("supervisor", 1, 0),
        start("gateway", 1, 1),
        start("supervisor", 2, 50),
        start("gateway", 2, 51),
      ],
    ],
    [
      "with a restart of the machine and the same pids",
      [
        start("supervisor", 1, 0),
        start("gateway", 1, 1),
        start("supervisor", 1, 50, { bootId: "boot-b" }),
        start("gateway", 2, 51, { bootId: "boot-b", pid: 31 }),
        ready("gateway", 2, 52, { bootId: "boot-b", pid: 31 }),
      ],
    ],
  ];
  for (const [title, records] of logs) {
    test(`${title} changes nothing`, () => {
      const log = new Log();
      log.take(...records);
      const once = log.everything();
      log.take(...records);
      assert.deepEqual(log.everything(), once);
    });

    test(`${title} changes nothing for a recorder that begins anew`, () => {
      const log = new Log();
      log.take(...records);
      const once = log.everything();
      log.restart();
      log.take(...records);
      assert.deepEqual(log.everything(), once);
    });
  }
});

describe("a config", () => {
  const notes = (log: Log) => log.store.notes(0, T * 2).map(({ at, text }) => [(at - T) / SECOND, text]);
  const served = (role: Role, generation: number, at: number, configHash?: string) => [
    start(role, generation, at, configHash === undefined ? {} : { configHash }),
    ready(role, generation, at + 1),
  ];

  test("that is another one than that of the last life is noted, once", () => {
    const log = new Log();
    const records = [...served("gateway", 1, 0, "aaa"), ...served("gateway", 2, 10, "bbb")];
    log.take(...records);
    log.restart();
    log.take(...records);
    assert.deepEqual(notes(log), [
      [11, "the config changed (aaa → bbb), in force since 2026-11-22T10:00:11.000Z"],
    ]);
  });

  test("that stays the same is not", () => {
    const log = new Log();
    log.take(...served("gateway", 1, 0, "aaa"), ...served("gateway", 2, 10, "aaa"));
    assert.deepEqual(notes(log), []);
  });

  // a restart whose next gateway could not be prepared left "in force since", and the old config served on
  test("of a gateway that was never ready is not", () => {
    const log = new Log();
    log.take(...served("gateway", 1, 0, "aaa"), start("gateway", 2, 10, { configHash: "bbb" }));
    log.take(end("gateway", 2, 11), ...served("gateway", 3, 20, "aaa"));
    assert.deepEqual(notes(log), []);
  });

  test("of the first life is not", () => {
    const log = new Log();
    log.take(...served("gateway", 1, 0, "aaa"));
    assert.deepEqual(notes(log), []);
  });

  test("is the gateway's: those of other processes are not noted", () => {
    const log = new Log();
    log.take(...served("edge", 1, 0, "aaa"), ...served("edge", 2, 10, "bbb"));
    assert.deepEqual(notes(log), []);
  });

  test("that nobody knows is no other one", () => {
    const log = new Log();
    log.take(...served("gateway", 1, 0, "aaa"), ...served("gateway", 2, 10));
    assert.deepEqual(notes(log), []);
  });
});

/** What the recorder makes of a run log. */
class Log {
  readonly store = new MemoryStore();
  sync = this.#sync();

  take(...records: readonly RunRecord[]): void {
    this.sync.take(records);
  }

  restart(): void {
    this.sync = this.#sync();
  }

  sample(second: number): void {
    this.store.addSample({
      at: T + second * SECOND,
      connections: 0,
      held: 0,
      rssBytes: 0,
      heapBytes: 0,
      loopP50Ms: 0,
      loopP99Ms: 0,
      rttP50Ms: null,
      rttP99Ms: null,
      gatewayRssBytes: null,
      memoryAvailableBytes: null,
      diskFreeBytes: null,
    });
  }

  /** In the order of their starts. */
  get runs(): RunRow[] {
    const order = (row: RunRow) => row.startedAt;
    return this.store.runs({}, 100).sort((a, b) => order(a) - order(b));
  }

  /** Oldest first: `gateway 5–7 oom`. */
  get told(): string[] {
    const second = (at: number | null) => (at === null ? "" : (at - T) / SECOND);
    return this.store
      .incidents({}, 100)
      .reverse()
      .map((row) => `${row.role} ${second(row.openedAt)}–${second(row.closedAt)} ${row.cause}`);
  }

  /** The only one. */
  get incident(): IncidentRow {
    const [only, ...others] = this.store.incidents({}, 100);
    assert.deepEqual(others, []);
    return only!;
  }

  everything(): object {
    return { runs: this.runs, incidents: this.store.incidents({}, 100), notes: this.store.notes(0, T * 2) };
  }

  #sync(): RunSync {
    return new RunSync(this.store, new Incidents(this.store));
  }
}

function head(role: Role, generation: number, second: number) {
  const at = new Date(T + second * SECOND).toISOString();
  return { v: 1, at, bootId: "boot-a", role, generation, pid: PIDS[role] + generation } as const;
}

function start(role: Role, generation: number, second: number, rest: Rest<"start"> = {}): RunRecord {
  const own = { event: "start", startTime: "t", command: "x", ownGroup: true } as const;
  return { ...head(role, generation, second), ...own, ...rest };
}

function ready(role: Role, generation: number, second: number, rest: Rest<"ready"> = {}): RunRecord {
  return { ...head(role, generation, second), event: "ready", ...rest };
}

function end(role: Role, generation: number, second: number, rest: Rest<"end"> = {}): RunRecord {
  const how = { code: 1, signal: null, by: "itself" } as const;
  const own = { event: "end", end: how, uptimeMs: 1, lastLines: ["Error: no"] } as const;
  return { ...head(role, generation, second), ...own, ...rest };
}

function cause(role: Role, generation: number, second: number): RunRecord {
  const exit = {
    cause: "oom",
    kind: "kernel",
    verdict: "confirmed",
    summary: "the kernel killed it",
    evidence: ["kernel: Killed process"],
    unknown: [],
  } as const;
  return { ...head(role, generation, second), event: "cause", exit, crash: "folder" };
}
