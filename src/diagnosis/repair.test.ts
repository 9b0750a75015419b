import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { actionsWith, fact, finds, machineWith, processWith } from "../../test/helpers/machine.ts";
import { statePaths } from "../config/paths.ts";
import { examine } from "./doctor.ts";
import { Ledger } from "./remedies/ledger.ts";
import type { Actions } from "./remedies/types.ts";
import { type RepairDeps, repair } from "./repair.ts";
import type { Fact } from "./types.ts";

const AWAY = ["port-free", "connect-refused", "ours-stopped"];
const HUNG = ["ours-unhealthy", "process-burning", "gateway-hung"];
const VALID = '{ gateway: { auth: { mode: "none" } } }\n';

/** A machine whose facts are what a test says they are now, and what was done on it. */
class World {
  facts: (Fact | string)[] = [];
  readonly done: string[] = [];
  readonly asked: string[] = [];
  readonly abort = new AbortController();
  readonly paths;
  readonly openclawConfigPath: string;

  private constructor(folder: string) {
    this.paths = statePaths(folder);
    this.openclawConfigPath = join(folder, "openclaw.json");
  }

  static async make(t: TestContext): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-repair-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return new World(folder);
  }

  get ledger(): Ledger {
    return new Ledger(this.paths.stateDir, () => Date.now());
  }

  /** Does what is said in `actions`; a consent is given to what it returns true for. */
  repair(actions: Partial<Actions>, changes: Partial<RepairDeps> = {}) {
    const { paths, openclawConfigPath } = this;
    return repair({
      machine: async () => machineWith({ paths, openclawConfigPath }),
      examine: (machine) => examine(machine, [finds(...this.facts)]),
      actions: actionsWith(actions),
      ledger: this.ledger,
      consent: async ({ what }) => {
        this.asked.push(what);
        return false;
      },
      progress: () => undefined,
      isDryRun: false,
      interrupted: this.abort.signal,
      ...changes,
    });
  }

  /** An action after which this is how it is. */
  becomes(name: string, facts: readonly string[]): () => Promise<void> {
    return async () => {
      this.done.push(name);
      this.facts = [...facts];
    };
  }
}

const outcomes = ({ results }: Awaited<ReturnType<typeof repair>>) =>
  results.map(({ id, outcome }) => `${id} ${outcome}`);

describe("repair", () => {
  test("does nothing to a gateway that is well", async (t) => {
    const world = await World.make(t);
    world.facts = ["healthz-ok"];
    const repaired = await world.repair({});
    assert.deepEqual([repaired.results, repaired.after.diagnosis.verdict], [[], "healthy"]);
  });

  test("does nothing where no cause holds", async (t) => {
    const world = await World.make(t);
    world.facts = ["port-free", "ours-stopped"];
    const repaired = await world.repair({});
    assert.deepEqual([repaired.results, repaired.after.diagnosis.verdict], [[], "inconclusive"]);
  });

  test("makes a safe repair without asking, and looks again", async (t) => {
    const world = await World.make(t);
    world.facts = AWAY;
    const repaired = await world.repair({ startOwn: world.becomes("start", ["healthz-ok"]) });
    assert.deepEqual([outcomes(repaired), world.asked], [["start applied"], []]);
    assert.equal(repaired.before.diagnosis.causes[0]?.id, "not-listening");
    assert.equal(repaired.after.diagnosis.verdict, "healthy");
  });

  test("asks before a disruptive one, and leaves it when the answer is no", async (t) => {
    const world = await World.make(t);
    world.facts = HUNG;
    const repaired = await world.repair(
      { restartOwn: world.becomes("restart", ["healthz-ok"]) },
      { machine: hurriedMachine },
    );
    assert.deepEqual(outcomes(repaired), ["restart declined"]);
    assert.deepEqual([world.asked.length, world.done], [1, []]);
    assert.deepEqual(await world.ledger.entries(), []);
  });

  // nothing was started
  test("waits for nothing after a no", async (t) => {
    const world = await World.make(t);
    world.facts = HUNG;
    const told: string[] = [];
    await world.repair({}, { machine: hurriedMachine, progress: (text) => told.push(text) });
    assert.deepEqual(told, []);
  });

  for (const [what, edited] of [
    ["another key", "{ gateway: { port: 28790 } }"],
    ["a text that is still broken", "{ broken, but // by hand"],
  ] as const) {
    test(`does not overwrite a config that was edited to ${what} while it asked`, async (t) => {
      const world = await World.make(t);
      await writeFile(world.paths.config, "{ broken");
      await writeFile(world.paths.lastValidConfig, VALID);
      world.facts = [...AWAY, "own-config-broken"];
      const consent = async () => {
        await writeFile(world.paths.config, edited);
        return true;
      };
      const { results } = await world.repair({}, { consent });
      assert.equal(await readFile(world.paths.config, "utf8"), edited);
      assert.deepEqual([results[0]?.id, results[0]?.outcome], ["restore-config", "failed"]);
      assert.match(results[0]?.error ?? "", /changed meanwhile/);
    });
  }

  test("makes a disruptive one when the answer is yes", async (t) => {
    const world = await World.make(t);
    world.facts = HUNG;
    const restartOwn = world.becomes("restart", ["healthz-ok"]);
    const repaired = await world.repair({ restartOwn }, { consent: async () => true });
    assert.deepEqual([outcomes(repaired), world.done], [["restart applied"], ["restart"]]);
  });

  test("asks before it starts what its operator stopped", async (t) => {
    const world = await World.make(t);
    world.facts = [...AWAY, "stopped-by-operator"];
    assert.deepEqual(outcomes(await world.repair({}, { machine: hurriedMachine })), ["start declined"]);
  });

  test("goes on with what a repair uncovers: a config that is mended, a start", async (t) => {
    const world = await World.make(t);
    await writeFile(world.paths.config, "{ broken");
    await writeFile(world.paths.lastValidConfig, VALID);
    world.facts = [...AWAY, "own-config-broken"];
    const repaired = await world.repair(
      { startOwn: world.becomes("start", ["healthz-ok"]) },
      {
        consent: async () => true,
        progress: (what) => {
          if (what.startsWith("restore")) world.facts = AWAY;
        },
      },
    );
    assert.deepEqual(outcomes(repaired), ["restore-config applied", "start applied"]);
    assert.equal(await readFile(world.paths.config, "utf8"), VALID);
    assert.equal(repaired.before.diagnosis.causes[0]?.id, "config-invalid");
    assert.equal(repaired.after.diagnosis.verdict, "healthy");
    const [undoable, start] = repaired.results;
    // the config is valid again, though it took a start to be well
    assert.deepEqual([undoable?.helped, start?.helped], [true, true]);
    assert.deepEqual(
      (await world.ledger.entries()).map(({ repair, helped }) => `${repair} ${helped}`),
      ["start true", "restore-config true"],
    );
    assert.equal(start?.ledgerId, undefined);
    await world.ledger.undo(undoable?.ledgerId);
    assert.equal(await readFile(world.paths.config, "utf8"), "{ broken");
  });

  test("changes nothing in a dry run, asks nobody, and says what it would do", async (t) => {
    const world = await World.make(t);
    await writeFile(world.paths.config, "{ broken");
    await writeFile(world.paths.lastValidConfig, VALID);
    world.facts = [...AWAY, "own-config-broken"];
    const before = await readdir(world.paths.stateDir);
    const { results, after } = await world.repair({}, { isDryRun: true });
    assert.deepEqual(
      results.map(({ id, outcome, diff }) => ({ id, outcome, diff })),
      [{ id: "restore-config", outcome: "planned", diff: ["~ the whole file: it cannot be read as it is"] }],
    );
    assert.equal(after.diagnosis.verdict, "confirmed");
    assert.deepEqual(await readdir(world.paths.stateDir), before);
    assert.equal(await readFile(world.paths.config, "utf8"), "{ broken");
    assert.deepEqual(world.asked, []);
  });

  test("tells of one that fails, and tries the next", async (t) => {
    const world = await World.make(t);
    world.facts = [...AWAY, fact("log-large", { source: join(world.paths.stateDir, "gone.log") })];
    const startOwn = world.becomes("start", ["healthz-ok"]);
    const repaired = await world.repair({ startOwn }, { consent: async () => true });
    assert.deepEqual(outcomes(repaired), ["move-large-log failed", "start applied"]);
    assert.match(repaired.results[0]?.error ?? "", /^ENOENT/);
  });

  test("tells of a start that fails", async (t) => {
    const world = await World.make(t);
    world.facts = AWAY;
    const startOwn = () => Promise.reject(new Error("its program is missing"));
    const { results, after } = await world.repair({ startOwn }, { machine: hurriedMachine });
    assert.deepEqual([results[0]?.outcome, results[0]?.error], ["failed", "its program is missing"]);
    assert.equal(after.diagnosis.causes[0]?.id, "not-listening");
  });

  test("passes over a repair that cannot even be thought through", async (t) => {
    const world = await World.make(t);
    await writeFile(world.openclawConfigPath, "{ this is no JSON5");
    const detail = 'openclaw.json:1 — gateway: Unrecognized key: "bogus"';
    world.facts = [...AWAY, fact("config-key-said", { detail })];
    const repaired = await world.repair({ startOwn: world.becomes("start", ["healthz-ok"]) });
    assert.ok(outcomes(repaired).includes("start applied"));
  });

  test("makes none twice, also if it did not help", async (t) => {
    const world = await World.make(t);
    world.facts = HUNG;
    const restartOwn = world.becomes("restart", HUNG);
    const repaired = await world.repair(
      { restartOwn },
      { consent: async () => true, machine: hurriedMachine },
    );
    assert.deepEqual([outcomes(repaired), world.done], [["restart applied"], ["restart"]]);
    assert.equal(repaired.after.diagnosis.causes[0]?.id, "event-loop-blocked");
    assert.equal(repaired.results[0]?.helped, false);
    assert.equal((await world.ledger.entries())[0]?.helped, false);
  });

  test("waits for what it started", async (t) => {
    const world = await World.make(t);
    world.facts = AWAY;
    let looks = 0;
    const repaired = await world.repair(
      { startOwn: world.becomes("start", ["ours-starting"]) },
      {
        examine: (machine) => {
          const isUp = world.done.length > 0 && ++looks > 1;
          return examine(machine, [finds(...(isUp ? ["healthz-ok"] : world.facts))]);
        },
      },
    );
    assert.deepEqual([looks, repaired.after.diagnosis.verdict], [2, "healthy"]);
  });

  test("makes six at most", async (t) => {
    const world = await World.make(t);
    const { paths, openclawConfigPath } = world;
    await writeFile(paths.lastValidConfig, VALID);
    await writeFile(openclawConfigPath, '{ gateway: { "bogus": 1 } }');
    await writeFile(`${openclawConfigPath}.bak`, '{ gateway: { mode: "local" } }');
    const dir = world.paths.stateDir;
    const lock = {
      path: join(dir, "lock"),
      pid: 1,
      startTime: undefined,
      createdAt: undefined,
      port: undefined,
    };
    world.facts = [
      ...[...AWAY, "own-config-broken", "lock-of-another", "openclaw-mode-unset"].map((id) => fact(id)),
      fact("config-key-said", { detail: 'openclaw.json:1 — gateway: Unrecognized key: "bogus"' }),
      fact("log-large", { source: "/var/log/large.log" }),
      fact("service-start-limit", { source: "systemd", detail: "clawkit.service: failed" }),
    ];
    const machine = machineWith({
      paths,
      openclawConfigPath,
      openclawDirs: [dir],
      openclawLocks: async () => [lock],
      processes: async () => [processWith({ pid: 1 })],
    });
    const repaired = await world.repair({}, { isDryRun: true, machine: async () => machine });
    assert.deepEqual(outcomes(repaired), [
      "restore-config planned",
      "remove-unknown-key planned",
      "restore-openclaw-config planned",
      "set-openclaw-mode planned",
      "move-stale-lock planned",
      "move-large-log planned",
    ]);
    // they are alternatives: the first is made, the others only if they are still needed
    assert.deepEqual(
      repaired.results.map(({ isFallback }) => isFallback),
      [false, true, true, true, true, true],
    );
  });
});

describe("an interruption", () => {
  test("before the first repair leaves everything", async (t) => {
    const world = await World.make(t);
    world.facts = AWAY;
    world.abort.abort();
    assert.deepEqual((await world.repair({})).results, []);
  });

  test("lets the repair under way end, waits for nothing and begins no other", async (t) => {
    const world = await World.make(t);
    world.facts = [...AWAY, fact("log-large", { source: join(world.paths.stateDir, "large.log") })];
    await writeFile(join(world.paths.stateDir, "large.log"), "large");
    const repaired = await world.repair(
      {},
      { consent: async () => true, progress: () => world.abort.abort() },
    );
    assert.deepEqual(outcomes(repaired), ["move-large-log applied"]);
  });

  test("while it waits ends the wait", async (t) => {
    const world = await World.make(t);
    world.facts = AWAY;
    const startOwn = async () => world.abort.abort();
    assert.deepEqual(outcomes(await world.repair({ startOwn })), ["start applied"]);
  });
});

/** A clock on which a minute passes with every look: nothing is waited for. */
function hurried() {
  let now = 0;
  return {
    now: () => {
      now += 60_000;
      return now;
    },
    wall: () => Date.now(),
  };
}

async function hurriedMachine() {
  return machineWith({ clock: hurried() });
}
