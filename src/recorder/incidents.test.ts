import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CauseId } from "../core/causes.ts";
import type { ConnectionEnd } from "../core/records.ts";
import type { ExitVerdict } from "../core/run-record.ts";
import { Incidents } from "./incidents.ts";
import { MemoryStore } from "./memory-store.ts";
import type { IncidentRow, RunRow } from "./store.ts";

const SECOND = 1000;
const T = Date.UTC(2026, 10, 22, 10);

/** A machine of a supervisor, an edge, a gateway and clients, told in seconds since its beginning. */
class Machine {
  readonly store = new MemoryStore();
  readonly news: string[] = [];
  incidents = this.#listener();
  #connections = 0;

  ended(generation: number, second: number, rest: Partial<RunRow> = {}): RunRow {
    const row = run(generation, T + second * SECOND, rest);
    this.incidents.processEnded(row, "supervisor");
    return row;
  }

  ready(second: number, role: RunRow["role"] = "gateway"): void {
    this.incidents.ready(role, T + second * SECOND);
  }

  silent(generation: number, second: number): void {
    this.incidents.silent(generation, T + second * SECOND, verdict("wedged-process"));
  }

  /** A client's connection ends; returns the id of its incident. */
  closed(cause: CauseId, second: number, rest: Partial<ConnectionEnd> & { generation?: number } = {}) {
    const { generation = 1, ...end } = rest;
    const id = `c${++this.#connections}`;
    this.store.openConnection({ id, openedAt: T, address: "192.0.2.7", origin: null, path: "/" });
    const incident = this.incidents.connectionClosed(id, connectionEnd(cause, second, end), generation);
    this.store.closeConnection(id, connectionEnd(cause, second, end), incident);
    return incident;
  }

  tick(second: number): void {
    this.incidents.tick(T + second * SECOND);
  }

  /** The recorder's thread begins anew with what is kept. */
  restart(): void {
    this.incidents = this.#listener();
  }

  /** Oldest first: `outage gateway 5–7 oom`. */
  get told(): string[] {
    const second = (at: number | null) => (at === null ? "" : (at - T) / SECOND);
    return this.store
      .incidents({}, 100)
      .reverse()
      .map((row) => `${row.kind} ${row.role} ${second(row.openedAt)}–${second(row.closedAt)} ${row.cause}`);
  }

  /** The only one. */
  get incident(): IncidentRow {
    const [only, ...others] = this.store.incidents({}, 100);
    assert.deepEqual(others, []);
    return only!;
  }

  #listener(): Incidents {
    return new Incidents(this.store, ({ role, cause }, change) =>
      this.news.push(`${change} ${role} ${cause}`),
    );
  }
}

describe("an outage", () => {
  test("begins with the end of the gateway and lasts", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    assert.deepEqual(machine.told, ["outage gateway 5– oom"]);
    assert.deepEqual(machine.news, ["opened gateway oom"]);
  });

  test("is over when a gateway is ready", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ready(7);
    assert.deepEqual(machine.told, ["outage gateway 5–7 oom"]);
    assert.deepEqual(machine.news, ["opened gateway oom", "closed gateway oom"]);
  });

  test("is not over for a readiness from before it", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ready(4);
    assert.deepEqual(machine.told, ["outage gateway 5– oom"]);
  });

  test("is over for the edge when an edge is ready, not when a gateway is", () => {
    const machine = new Machine();
    machine.ended(1, 5, { role: "edge" });
    machine.ready(6);
    assert.deepEqual(machine.told, ["outage edge 5– oom"]);
    machine.ready(7, "edge");
    assert.deepEqual(machine.told, ["outage edge 5–7 oom"]);
  });

  test("of the supervisor is over when a gateway is ready", () => {
    const machine = new Machine();
    machine.ended(1, 5, { role: "supervisor" });
    machine.ready(9);
    assert.deepEqual(machine.told, ["outage supervisor 5–9 oom"]);
  });

  test("of several ends in a row is one, told as its first", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ended(2, 6, { exit: verdict("port-conflict"), crash: "second" });
    machine.ended(3, 8, { exit: verdict("port-conflict") });
    machine.ready(12);
    assert.deepEqual(machine.told, ["outage gateway 5–12 oom"]);
    const { ends, generation, crash } = machine.incident;
    assert.deepEqual({ ends, generation, crash }, { ends: 3, generation: 1, crash: null });
    assert.equal(machine.news.length, 2);
  });

  test("after one that is over is another", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ready(7);
    machine.ended(2, 8, { exit: verdict("disk-full") });
    assert.deepEqual(machine.told, ["outage gateway 5–7 oom", "outage gateway 8– disk-full"]);
  });

  test("of the edge and one of the gateway are two", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ended(1, 6, { role: "edge" });
    assert.deepEqual(machine.told, ["outage gateway 5– oom", "outage edge 6– oom"]);
  });

  test("is explained when its evidence was looked at", () => {
    const machine = new Machine();
    const row = machine.ended(1, 5, { exit: verdict("killed-by-signal") });
    machine.incidents.explained({ ...row, exit: verdict("oom"), crash: "folder" });
    assert.deepEqual(machine.told, ["outage gateway 5– oom"]);
    assert.equal(machine.incident.crash, "folder");
  });

  test("is explained even when it is over", () => {
    const machine = new Machine();
    const row = machine.ended(1, 5, { exit: verdict("killed-by-signal") });
    machine.ready(6);
    machine.incidents.explained({ ...row, exit: verdict("oom") });
    assert.deepEqual(machine.told, ["outage gateway 5–6 oom"]);
  });

  test("is not explained by the evidence of a later end", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    const later = machine.ended(2, 6, { exit: null });
    machine.incidents.explained({ ...later, exit: verdict("port-conflict"), crash: "folder" });
    assert.deepEqual(machine.told, ["outage gateway 5– oom"]);
    assert.equal(machine.incident.crash, null);
  });

  test("under way goes on when the recorder begins anew", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.restart();
    machine.ended(2, 6);
    machine.ready(7);
    assert.deepEqual(machine.told, ["outage gateway 5–7 oom"]);
  });
});

describe("a gateway that hangs", () => {
  test("and recovers was away so long, and ended never", () => {
    const machine = new Machine();
    machine.silent(1, 5);
    machine.ready(20);
    assert.deepEqual(machine.told, ["outage gateway 5–20 wedged-process"]);
    assert.equal(machine.incident.ends, 0);
    assert.equal(machine.incident.noticedBy, "edge");
  });

  test("is told once", () => {
    const machine = new Machine();
    machine.silent(1, 5);
    machine.silent(1, 6);
    assert.deepEqual(machine.told, ["outage gateway 5– wedged-process"]);
  });

  test("and is ended for it has one incident, explained by its end", () => {
    const machine = new Machine();
    machine.silent(1, 5);
    machine.ended(1, 15, { exit: { ...verdict("wedged-process"), verdict: "confirmed" }, crash: "folder" });
    machine.ready(17);
    assert.deepEqual(machine.told, ["outage gateway 5–17 wedged-process"]);
    const { ends, verdict: sureness, crash } = machine.incident;
    assert.deepEqual({ ends, sureness, crash }, { ends: 1, sureness: "confirmed", crash: "folder" });
  });
});

describe("a client whose gateway ended", () => {
  test("belongs to the outage", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    assert.equal(machine.closed("gateway-ended", 5), machine.incident.id);
  });

  test("may be heard before the supervisor: the outage is begun by it and explained later", () => {
    const machine = new Machine();
    const id = machine.closed("gateway-ended", 5, { reason: "gateway ended" });
    assert.deepEqual(machine.told, ["outage gateway 5– ended-without-record"]);
    machine.ended(1, 4.9, { crash: "folder" });
    assert.deepEqual(machine.told, ["outage gateway 5– oom"]);
    assert.equal(machine.incident.id, id);
    assert.equal(machine.incident.ends, 1);
  });

  test("and the others of its life belong to the same one", () => {
    const machine = new Machine();
    const ids = [5, 5.1, 5.2].map((second) => machine.closed("gateway-ended", second));
    assert.deepEqual(new Set(ids), new Set([machine.incident.id]));
  });

  test("may hear it when the next one is ready", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ready(7);
    assert.equal(machine.closed("gateway-ended", 8, { generation: 1 }), machine.incident.id);
    assert.deepEqual(machine.told, ["outage gateway 5–7 oom"]);
  });

  test("of a life without an incident begins one of its own", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    machine.ready(7);
    machine.closed("gateway-ended", 8, { generation: 2 });
    assert.deepEqual(machine.told, ["outage gateway 5–7 oom", "outage gateway 8– ended-without-record"]);
  });

  test("that was not served yet leaves as a part of the outage", () => {
    const machine = new Machine();
    machine.ended(1, 5);
    assert.equal(machine.closed("client-gave-up", 6, { phase: "handshake" }), machine.incident.id);
    assert.equal(machine.closed("client-went-away", 6, { phase: "open" }), null);
  });
});

describe("a burst", () => {
  const vanish = (machine: Machine, ...seconds: readonly number[]) =>
    seconds.map((second) => machine.closed("client-vanished", second));

  test("is 5 ends alike within 10 s, the first ones included", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 9.9);
    assert.deepEqual(machine.told, ["burst clients 0– client-vanished"]);
    assert.equal(machine.store.countConnections({ incident: machine.incident.id }), 5);
    assert.deepEqual(machine.news, ["opened clients client-vanished"]);
  });

  test("is not 4", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3);
    assert.deepEqual(machine.told, []);
  });

  test("is not 5 in more than 10 s", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 10);
    assert.deepEqual(machine.told, []);
  });

  test("is not 5 that ended each in another way", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3);
    machine.closed("client-reset", 4);
    assert.deepEqual(machine.told, []);
  });

  test("begins with the first of the 5, not with one long before", () => {
    const machine = new Machine();
    vanish(machine, 0, 60, 61, 62, 63, 64);
    assert.deepEqual(machine.told, ["burst clients 60– client-vanished"]);
    assert.equal(machine.store.countConnections({ incident: machine.incident.id }), 5);
  });

  test("takes in what ends alike while it lasts", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 4);
    assert.deepEqual(vanish(machine, 25), [machine.incident.id]);
  });

  test("lasts 30 s after its last end", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 4, 20);
    machine.tick(50);
    assert.deepEqual(machine.told, ["burst clients 0– client-vanished"]);
  });

  test("is over then, with its last end", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 4, 20);
    machine.tick(50.001);
    assert.deepEqual(machine.told, ["burst clients 0–20 client-vanished"]);
    assert.deepEqual(machine.news.at(-1), "closed clients client-vanished");
  });

  test("is not over because a gateway is ready", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 4);
    machine.ready(5);
    assert.deepEqual(machine.told, ["burst clients 0– client-vanished"]);
  });

  test("after one that is over is another", () => {
    const machine = new Machine();
    vanish(machine, 0, 1, 2, 3, 4);
    machine.tick(60);
    vanish(machine, 100, 101, 102, 103, 104);
    assert.deepEqual(machine.told, [
      "burst clients 0–4 client-vanished",
      "burst clients 100– client-vanished",
    ]);
  });

  test("of another cause is another", () => {
    const machine = new Machine();
    for (const second of [0, 1, 2, 3, 4]) {
      machine.closed("client-vanished", second);
      machine.closed("client-reset", second + 0.5);
    }
    assert.deepEqual(machine.told, ["burst clients 0– client-vanished", "burst clients 0.5– client-reset"]);
  });
});

describe("an end that says nothing about trouble", () => {
  const normal: readonly CauseId[] = [
    "client-closed",
    "client-went-away",
    "client-gave-up",
    "planned-restart",
    "gateway-announced-restart",
    "edge-ended",
  ];
  for (const cause of normal) {
    test(`makes no incident, however many: ${cause}`, () => {
      const machine = new Machine();
      const ids = Array.from({ length: 20 }, () => machine.closed(cause, 1));
      assert.deepEqual(new Set(ids), new Set([null]));
      assert.deepEqual(machine.told, []);
    });
  }
});

function connectionEnd(cause: CauseId, second: number, rest: Partial<ConnectionEnd>): ConnectionEnd {
  return {
    at: T + second * SECOND,
    by: "client",
    code: null,
    reason: "",
    phase: "open",
    cause,
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    framesOut: 0,
    lastActivityAt: T,
    rttMs: null,
    ...rest,
  };
}

function run(generation: number, endedAt: number, rest: Partial<RunRow>): RunRow {
  return {
    key: `boot-a gateway ${generation}`,
    role: "gateway",
    generation,
    pid: 100 + generation,
    bootId: "boot-a",
    command: "x",
    configHash: null,
    startedAt: T,
    readyAt: T,
    endedAt,
    code: null,
    signal: "SIGKILL",
    endedBy: "itself",
    peakRssBytes: null,
    peakHeapBytes: null,
    lastLines: [],
    exit: verdict("oom"),
    crash: null,
    ...rest,
  };
}

function verdict(cause: CauseId): ExitVerdict {
  return { cause, kind: null, verdict: "likely", summary: cause, evidence: [], unknown: [] };
}
