import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type FakeContainer, FakeEngine } from "../../../test/helpers/fake-engine.ts";
import { actionsWith, examinationOf, machineWith, NOW } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { restartContainer, setRestartPolicy, startContainer } from "./docker.ts";
import { Ledger } from "./ledger.ts";
import type { Repair } from "./types.ts";

const HOUR_MS = 3_600_000;
const PORTS = { ports: { "18789/tcp": 28789 } };
const ENDED: FakeContainer = {
  ...PORTS,
  policy: "no",
  state: { Status: "exited", ExitCode: 1, FinishedAt: new Date(NOW - 60_000).toISOString() },
};

async function planOf(repair: Repair, engine: FakeEngine, ...facts: string[]) {
  const machine = machineWith({ env: engine.env });
  return await repair.plan({ machine, examination: await examinationOf(...facts), actions: actionsWith() });
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-docker-repair-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("a restart policy", () => {
  test("is set without asking, and undo gives it back what it had", async (t) => {
    await using engine = await FakeEngine.start({ ...ENDED, policy: "on-failure" });
    const ledger = new Ledger(await folderOf(t), () => Date.now());
    const plan = (await planOf(setRestartPolicy, engine, "container-no-restart-policy"))!;
    assert.deepEqual(
      [plan.risk, plan.what, plan.diff],
      [
        "safe",
        "set the restart policy of container openclaw-gateway to unless-stopped",
        ["- restart: on-failure", "+ restart: unless-stopped"],
      ],
    );
    await ledger.carryOut("docker-restart-policy", plan);
    await ledger.undo(undefined);
    const path = "POST /v1.41/containers/id-of-openclaw-gateway/update";
    assert.deepEqual(engine.posts, [
      `${path} {"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}}`,
      `${path} {"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":0}}`,
    ]);
  });

  test("is not thought of where there is one", async () => {
    await using engine = await FakeEngine.start(ENDED);
    assert.equal(await planOf(setRestartPolicy, engine, "container-of-gateway"), undefined);
  });
});

describe("a container that is down", () => {
  const down = ["container-of-gateway", "port-free"];

  test("is started", async () => {
    await using engine = await FakeEngine.start(ENDED);
    const plan = (await planOf(startContainer, engine, ...down))!;
    assert.deepEqual(
      [plan.risk, plan.what],
      ["safe", "start container openclaw-gateway, which ended at 2026-11-22T11:59:00.000Z"],
    );
    await plan.apply();
    assert.deepEqual(engine.posts, ["POST /v1.41/containers/id-of-openclaw-gateway/start"]);
  });

  test("is asked about first if it was stopped on purpose", async () => {
    await using engine = await FakeEngine.start(ENDED);
    assert.equal((await planOf(startContainer, engine, ...down, "ended-planned-stop"))?.risk, "disruptive");
  });

  test("is left alone if it would end at once, somebody listens, or it runs", async () => {
    await using engine = await FakeEngine.start(ENDED);
    for (const facts of [
      [...down, "ended-config-refused-at-startup"],
      [...down, "config-invalid-said"],
      ["container-of-gateway"],
      ["port-free"],
    ]) {
      assert.equal(await planOf(startContainer, engine, ...facts), undefined);
    }
    await using running = await FakeEngine.start(PORTS);
    assert.equal(await planOf(startContainer, running, ...down), undefined);
  });

  // an old gateway came back with its old config, and at every boot from then on, without a question
  test("is asked about first if it ended long ago, or something else here is for the port", async () => {
    const facts = [...down, "container-no-restart-policy"];
    const long = {
      ...ENDED,
      state: { ...ENDED.state, FinishedAt: new Date(NOW - 3 * HOUR_MS).toISOString() },
    };
    const CASES: [FakeContainer, Partial<Machine>][] = [
      [long, {}],
      [ENDED, { openclawDirs: ["/home/u/.openclaw"] }],
    ];
    for (const [one, changes] of CASES) {
      await using engine = await FakeEngine.start(one);
      const machine = machineWith({ env: engine.env, ...changes });
      const examination = await examinationOf(...facts);
      for (const repair of [startContainer, setRestartPolicy]) {
        const plan = await repair.plan({ machine, examination, actions: actionsWith() });
        assert.equal(plan?.risk, "disruptive", repair.id);
      }
    }
  });

  test("of somebody else is never started", async () => {
    await using engine = await FakeEngine.start({
      ...ENDED,
      name: "web",
      image: "nginx",
      command: ["nginx"],
    });
    assert.equal(await planOf(startContainer, engine, ...down), undefined);
  });
});

describe("an unhealthy container", () => {
  test("is restarted, and it is asked first", async () => {
    await using engine = await FakeEngine.start(PORTS);
    const plan = (await planOf(restartContainer, engine, "container-unhealthy"))!;
    assert.equal(plan.risk, "disruptive");
    await plan.apply();
    assert.deepEqual(engine.posts, ["POST /v1.41/containers/id-of-openclaw-gateway/restart"]);
  });

  const STRANGERS: Record<string, readonly string[]> = {
    "a database": ["postgres"],
    "a command of a gateway's, but none": ["openclaw", "gateway", "status"],
    "a program with the name as an argument": ["sleep", "openclaw-gateway"],
  };
  for (const [what, command] of Object.entries(STRANGERS)) {
    test(`is not ended if all that makes it a gateway is its name: ${what}`, async () => {
      const one = { ...PORTS, name: "openclaw-gateway", image: "openclaw/gateway", command };
      await using engine = await FakeEngine.start(one);
      assert.equal(await planOf(restartContainer, engine, "container-unhealthy"), undefined);
    });
  }
});
