import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import type { Role } from "../../src/core/run-record.ts";
import { hostFor } from "../../src/host/index.ts";
import { openToRead } from "../../src/recorder/read-store.ts";
import type { IncidentRow, RecorderStore, RunRow } from "../../src/recorder/store.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { needsProc, untilGone } from "../helpers/processes.ts";
import { incidents, storyOf } from "../helpers/recorded.ts";
import { exits } from "../helpers/results.ts";
import { Visitors } from "../helpers/visitors.ts";

/** How often each is killed. A round takes 1 to 3 s; the promise is about 50 of them. */
const ROUNDS = Number(process.env.CLAWKIT_KILL_ROUNDS ?? 10);

const CLIENTS = 50;

/** A supervisor gives its edge ten quick restarts; beyond them it waits longer each time, and so would the test. */
const QUICK_RESTARTS = 9;

/** Visits before a kill. */
const VISITS = 100;

const ECHO = { gateway: { upstream: { type: "command", command: program("echo") } } };

const UNSEEN = "ended without shutdown, reason unknown";

describe(`kill -9 under load, ${ROUNDS} times`, { skip: needsProc, timeout: 3_600_000 }, () => {
  test("the edge: its supervisor says by what signal, and nothing is left open", async () => {
    await using clawkit = await TestClawkit.create(ECHO);
    await using visitors = new Visitors(CLIENTS, clawkit.url);
    for (let round = 1; round <= ROUNDS; round++) {
      if (round % QUICK_RESTARTS === 1) await renew(clawkit);
      const before = await clawkit.untilStatus(({ state }) => state === "healthy");
      await visitors.serve(VISITS);
      await untilRecorded(clawkit, before);

      process.kill(before.edge.pid!, "SIGKILL");

      await clawkit.untilStatus(({ edge, state }) => state === "healthy" && edge.pid !== before.edge.pid);
      const run = await until(() =>
        read(clawkit, (store) => {
          const found = runOf(store, "edge", before);
          return found?.exit != null && lingering(store, found.endedAt!).length === 0 ? found : undefined;
        }),
      );
      const { exit, signal, endedBy } = run;
      assert.deepEqual(
        { cause: exit!.cause, kind: exit!.kind, signal, endedBy },
        { cause: "killed-by-signal", kind: "SIGKILL", signal: "SIGKILL", endedBy: "itself" },
        `round ${round}`,
      );
      assertIntact(clawkit, round);
    }
    await visitors.serve(VISITS);
  });

  const victims = {
    "the supervisor": ["supervisor"],
    "everything at once": ["supervisor", "edge", "gateway"],
  } as const satisfies Record<string, readonly Role[]>;
  for (const [what, roles] of Object.entries(victims)) {
    test(`${what}: nobody of ours saw it, and that is what is said`, async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      await using visitors = new Visitors(CLIENTS, clawkit.url);
      for (let round = 1; round <= ROUNDS; round++) {
        await exits(0, clawkit.cli("gateway", "start"));
        await visitors.serve(VISITS);
        const before = await clawkit.status();
        await untilRecorded(clawkit, before);
        const killedAt = Date.now();

        for (const role of roles) process.kill(before[role].pid!, "SIGKILL");

        await untilGone([before.supervisor.pid!, before.edge.pid!, before.gateway.pid!]);
        // every other time nobody looks until the next start, whose recorder finds it all
        if (round % 2 === 0) await exits(0, clawkit.cli("gateway", "start"));
        await until(() =>
          read(clawkit, (store) => runOf(store, "supervisor", before)?.exit != null || undefined),
        );
        await read(clawkit, (store) => assertUnseen(store, before, { round, at: killedAt }));
        assertIntact(clawkit, round);
        if (round % 2 === 0) await exits(0, clawkit.cli("gateway", "stop"));
      }
    });
  }
});

describe("two kills within a minute", { skip: needsProc }, () => {
  test("of the edges of two supervisors are two outages", async () => {
    await using clawkit = await TestClawkit.create(ECHO);
    for (let round = 1; round <= 2; round++) {
      await renew(clawkit);
      const before = await clawkit.status();
      await untilRecorded(clawkit, before);
      process.kill(before.edge.pid!, "SIGKILL");
      await until(() => read(clawkit, (store) => runOf(store, "edge", before)?.exit != null || undefined));
      await clawkit.untilStatus(({ edge, state }) => state === "healthy" && edge.pid !== before.edge.pid);
    }
    const found = await incidentsOf(clawkit, "edge");
    assert.equal(found.length, 2, JSON.stringify(found));
  });

  test("of everything are two outages, each with what is known around it", async () => {
    await using clawkit = await TestClawkit.create(ECHO);
    for (let round = 1; round <= 2; round++) {
      await exits(0, clawkit.cli("gateway", "start"));
      const before = await clawkit.status();
      await untilRecorded(clawkit, before);
      const pids = [before.supervisor.pid!, before.edge.pid!, before.gateway.pid!];
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await untilGone(pids);
    }

    const found = (await incidents(clawkit)).filter(({ role }) => role === "supervisor");
    assert.equal(found.length, 2, JSON.stringify(found));
    for (const { id } of found) {
      const { incident } = await storyOf(clawkit, id);
      assert.deepEqual(
        { cause: incident.cause, summary: incident.summary, noticedBy: incident.noticedBy },
        { cause: "ended-without-record", summary: UNSEEN, noticedBy: "recorder" },
      );
      assert.match(incident.evidence.join("\n"), /last known to live at \d{4}-/);
      assert.notDeepEqual(incident.unknown, []);
    }
  });
});

/** The recorder of this edge writes: it knows of its edge. Until then its file may have no tables. */
async function untilRecorded(clawkit: TestClawkit, status: Status): Promise<void> {
  await until(() => read(clawkit, (store) => runOf(store, "edge", status)).catch(() => undefined));
}

/** Another supervisor, with a fresh budget of restarts. */
async function renew(clawkit: TestClawkit): Promise<void> {
  await exits(0, clawkit.cli("gateway", "stop"));
  await exits(0, clawkit.cli("gateway", "start"));
}

/** Opens the store as the commands that look at it do. */
async function read<T>(clawkit: TestClawkit, use: (store: RecorderStore) => T): Promise<T> {
  const status = await clawkit.control({ op: "status" }).catch(() => undefined);
  const store = openToRead(statePaths(clawkit.stateDir), {
    isRecording: status !== undefined,
    wall: Date.now(),
    bootId: await hostFor(process.platform).bootId(),
    maxAgeMs: 24 * 60 * 60_000,
  });
  try {
    return use(store);
  } finally {
    store.close();
  }
}

/** The life of the process that had this pid. */
function runOf(
  store: RecorderStore,
  role: Exclude<Role, "control">,
  { [role]: { pid } }: Status,
): RunRow | undefined {
  return store.runs({ role }, 10).find((run) => run.pid === pid);
}

function incidentsOf(clawkit: TestClawkit, role: Role): Promise<IncidentRow[]> {
  return read(clawkit, (store) => store.incidents({}, 10_000).filter((incident) => incident.role === role));
}

/** Connections that count as open and were opened before: those of an edge that is gone. */
function lingering(store: RecorderStore, before: number): string[] {
  const live = store.connections({ state: "live" }, 10_000);
  return live.filter(({ openedAt }) => openedAt < before).map(({ id }) => id);
}

/** Of all three it is known when they were last seen, and that nobody knows more. */
function assertUnseen(store: RecorderStore, status: Status, killed: { round: number; at: number }): void {
  for (const role of ["supervisor", "edge", "gateway"] as const) {
    const run = runOf(store, role, status);
    const about = `round ${killed.round}, ${role}: ${JSON.stringify(run)}`;
    assert.ok(run?.exit != null, about);
    const { cause, summary, evidence, unknown } = run.exit;
    assert.deepEqual({ cause, summary }, { cause: "ended-without-record", summary: UNSEEN }, about);
    assert.deepEqual([run.code, run.signal, run.endedBy], [null, null, null], about);
    assert.match(
      evidence.join("\n"),
      new RegExp(`pid ${run.pid} has a start and no end.*\\n.*last known to live`),
    );
    assert.notDeepEqual(unknown, []);
    assert.ok(run.endedAt! >= run.startedAt && run.endedAt! <= Date.now(), about);
  }
  assert.deepEqual(lingering(store, killed.at), [], `round ${killed.round}`);
}

/** The file is whole, and was never replaced by a new one. */
function assertIntact(clawkit: TestClawkit, round: number): void {
  const { recorder, stateDir } = statePaths(clawkit.stateDir);
  const db = new DatabaseSync(recorder, { readOnly: true });
  const result = db.prepare("PRAGMA quick_check").all();
  db.close();
  assert.deepEqual(
    result.map((row) => row.quick_check),
    ["ok"],
    `round ${round}`,
  );
  assert.deepEqual(
    readdirSync(stateDir).filter((name) => name.includes("corrupt")),
    [],
  );
}
