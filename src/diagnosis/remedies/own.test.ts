import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { actionsWith, examinationOf, machineWith } from "../../../test/helpers/machine.ts";
import { statePaths } from "../../config/paths.ts";
import { localTarget } from "../target.ts";
import { Ledger } from "./ledger.ts";
import { restartOwn, restoreOwnConfig, startOwn } from "./own.ts";

const VALID = '// mine\n{ gateway: { auth: { mode: "none" } } }\n';

describe("restoring our config", () => {
  async function setUp(t: TestContext, { config, lastValid }: { config?: string; lastValid?: string }) {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-own-"));
    t.after(() => rm(folder, { recursive: true }));
    const paths = statePaths(folder);
    if (config !== undefined) await writeFile(paths.config, config, { mode: 0o600 });
    if (lastValid !== undefined) await writeFile(paths.lastValidConfig, lastValid, { mode: 0o600 });
    const plan = async (...facts: string[]) => {
      const examination = await examinationOf(...facts);
      return await restoreOwnConfig.plan({
        machine: machineWith({ paths }),
        examination,
        actions: actionsWith(),
      });
    };
    return { paths, plan };
  }

  test("says what changes, asks first, applies, and is taken back byte for byte", async (t) => {
    const broken = "// mine\n{ gateway: {\r\n";
    const { paths, plan } = await setUp(t, { config: broken, lastValid: VALID });
    const found = (await plan("own-config-broken"))!;
    assert.equal(found.what, `restore the last valid config to ${paths.config}`);
    assert.equal(found.risk, "disruptive");
    assert.deepEqual(found.diff, ["~ the whole file: it cannot be read as it is"]);
    const ledger = new Ledger(paths.stateDir, () => Date.now());
    await ledger.carryOut(restoreOwnConfig.id, found);
    assert.equal(await readFile(paths.config, "utf8"), VALID);
    await ledger.undo(undefined);
    assert.equal(await readFile(paths.config, "utf8"), broken);
  });

  test("brings back a config that was deleted", async (t) => {
    const { paths, plan } = await setUp(t, { lastValid: VALID });
    await (await plan("own-config-broken"))?.apply();
    assert.equal(await readFile(paths.config, "utf8"), VALID);
  });

  test("shows no secret", async (t) => {
    const token = "abcdefgh12345678";
    const lastValid = JSON.stringify({ gateway: { auth: { mode: "token", token } } });
    const { plan } = await setUp(t, { config: `{ gateway: { auth: { token: "old-${token}"`, lastValid });
    const found = (await plan("own-config-broken"))!;
    assert.doesNotMatch(`${found.what} ${found.diff?.join("\n")}`, /abcdefgh12345678/);
  });

  for (const [what, files] of [
    ["there is no valid one", { config: "{" }],
    ["the last valid one is none any more", { config: "{", lastValid: "{ gateway: { bogus: 1 } }" }],
  ] as const) {
    test(`is not thought of if ${what}`, async (t) => {
      assert.equal(await (await setUp(t, files)).plan("own-config-broken"), undefined);
    });
  }

  test("is not thought of if the config is well", async (t) => {
    assert.equal(await (await setUp(t, { config: VALID, lastValid: VALID })).plan("port-free"), undefined);
  });
});

const planWith =
  (repair: typeof startOwn, machine = machineWith()) =>
  async (...facts: string[]) => {
    const context = {
      machine,
      examination: await examinationOf(...facts),
      actions: actionsWith(),
    };
    return await repair.plan(context);
  };

describe("starting ours", () => {
  const plan = planWith(startOwn);

  test("is safe where it is away and the port is free", async () => {
    const found = await plan("ours-stopped", "port-free");
    assert.deepEqual([found?.risk, found?.what], ["safe", "start the gateway on port 28789"]);
  });

  test("is asked first if its operator stopped it", async () => {
    assert.equal((await plan("ours-stopped", "port-free", "stopped-by-operator"))?.risk, "disruptive");
  });

  test("is not thought of where another port was asked than ours is on", async () => {
    const machine = machineWith({ target: localTarget(28790, false) });
    assert.equal(await planWith(startOwn, machine)("ours-stopped", "port-free"), undefined);
  });

  for (const inTheWay of [
    "own-config-broken",
    "disk-full",
    "folder-not-writable",
    "family-lives",
    "lock-held",
    "gateway-young",
    "service-running",
  ]) {
    test(`is not thought of with ${inTheWay}`, async () => {
      assert.equal(await plan("ours-stopped", "port-free", inTheWay), undefined);
    });
  }

  test("is not thought of where the port is taken, or it runs", async () => {
    assert.equal(await plan("ours-stopped", "port-foreign"), undefined);
    assert.equal(await plan("ours-starting", "port-free"), undefined);
  });
});

describe("restarting ours", () => {
  const plan = planWith(restartOwn);

  test("is disruptive, where it lives and serves nobody", async () => {
    assert.equal((await plan("ours-unhealthy"))?.risk, "disruptive");
  });

  test("is not thought of where it is well, not ours, stopped by a signal, or would not start", async () => {
    for (const facts of [
      ["ours-healthy"],
      ["files-used-up"],
      ["files-used-up", "ours-healthy"],
      ["ours-unhealthy", "process-stopped"],
      ["ours-unhealthy", "own-config-broken"],
    ]) {
      assert.equal(await plan(...facts), undefined, facts.join());
    }
  });
});
