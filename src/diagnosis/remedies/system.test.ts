import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import {
  actionsWith,
  examinationOf,
  fact,
  hostWith,
  machineWith,
  NOW,
} from "../../../test/helpers/machine.ts";
import { statePaths } from "../../config/paths.ts";
import { services } from "../facts/services.ts";
import type { Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { Ledger } from "./ledger.ts";
import { enableLinger, freeStartLimit, moveLargeLog, openFolder, startService } from "./system.ts";
import type { Repair } from "./types.ts";

async function planOf(repair: Repair, ...facts: (Fact | string)[]) {
  return await planOn({}, repair, ...facts);
}

async function planOn(changes: Partial<Machine>, repair: Repair, ...facts: (Fact | string)[]) {
  const examination = await examinationOf(...facts);
  return await repair.plan({ machine: machineWith(changes), examination, actions: actionsWith() });
}

async function folderOf(t: TestContext): Promise<{ folder: string; ledger: Ledger }> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-system-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { folder, ledger: new Ledger(join(folder, "state"), () => Date.now()) };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("opening a folder", () => {
  test("lets its owner write, asks first, and is taken back", async (t) => {
    const { folder, ledger } = await folderOf(t);
    const source = join(folder, "closed");
    await mkdir(source);
    await chmod(source, 0o550);
    const plan = (await planOf(openFolder, fact("folder-not-writable", { source })))!;
    assert.deepEqual(
      [plan.risk, plan.what],
      ["disruptive", `let its owner write to ${source} (mode 550 → 750)`],
    );
    await ledger.carryOut("make-writable", plan);
    assert.equal(await modeOf(source), 0o750);
    await ledger.undo(undefined);
    assert.equal(await modeOf(source), 0o550);
  });

  test("is safe in our state folder, and not thought of for another user's", async (t) => {
    const { folder } = await folderOf(t);
    const source = join(folder, "closed");
    await mkdir(source);
    await chmod(source, 0o550);
    const closed = fact("folder-not-writable", { source });
    const { uid } = await stat(source);
    assert.equal((await planOn({ paths: statePaths(folder) }, openFolder, closed))?.risk, "safe");
    assert.equal(await planOn({ uid: uid + 1 }, openFolder, closed), undefined);
  });

  test("lets its owner read a config, and nobody else", async (t) => {
    const source = join((await folderOf(t)).folder, "openclaw.json");
    await writeFile(source, "{}", { mode: 0o000 });
    await (await planOf(openFolder, fact("openclaw-config-unreadable", { source })))?.apply();
    assert.equal(await modeOf(source), 0o600);
  });

  test("is not thought of where the mode is no hindrance, or it is gone", async (t) => {
    const { folder } = await folderOf(t);
    for (const source of [folder, join(folder, "gone")]) {
      assert.equal(await planOf(openFolder, fact("folder-not-writable", { source })), undefined);
    }
    assert.equal(await planOf(openFolder, "port-free"), undefined);
  });
});

describe("moving a large log aside", () => {
  test("keeps it, makes no copy of it, and is taken back", async (t) => {
    const { folder, ledger } = await folderOf(t);
    const source = join(folder, "gateway.log");
    await writeFile(source, "");
    await truncate(source, 2 * 1024 ** 3); // takes no room
    const plan = (await planOf(moveLargeLog, fact("log-large", { source })))!;
    assert.equal(plan.risk, "disruptive");
    await ledger.carryOut("move-large-log", plan);
    const names = async () => (await readdir(folder)).filter((name) => name.startsWith("gateway.log"));
    assert.deepEqual(await names(), [`gateway.log.${NOW}`]);
    await ledger.undo(undefined);
    assert.deepEqual(await names(), ["gateway.log"]);
    assert.equal((await stat(source)).size, 2 * 1024 ** 3);
  });

  test("is not thought of without one", async () => {
    assert.equal(await planOf(moveLargeLog, "port-free"), undefined);
  });
});

describe("services", () => {
  const limited = fact("service-start-limit", {
    source: "systemd (user)",
    detail: "openclaw-gateway.service: failed (start-limit-hit)",
  });
  const down = fact("service-not-running", { source: "systemd", detail: "clawkit.service: inactive (dead)" });

  test("whose start limit is hit are freed, and it is asked first", async () => {
    const plan = await planOf(freeStartLimit, limited);
    assert.equal(plan?.what, "free the start limit of openclaw-gateway.service and start it");
    assert.equal(plan?.risk, "disruptive");
    assert.equal(await planOf(freeStartLimit, down), undefined);
  });

  test("that do not run are started, if nothing is in the way", async () => {
    const plan = await planOf(startService, down, "port-free");
    assert.deepEqual([plan?.what, plan?.risk], ["start clawkit.service", "disruptive"]);
    for (const facts of [[down], [down, "port-free", limited], [down, "port-free", "service-refused"]]) {
      assert.equal(await planOf(startService, ...facts), undefined);
    }
    assert.equal(await planOf(startService, { ...down, source: "launchd" }, "port-free"), undefined);
  });

  // a legacy unit that a migration disabled would take the gateway's place
  test("that were switched off are left: what they were is no trouble, and nothing starts them", async () => {
    const unit = { manager: "systemd (user)", name: "openclaw-gateway.service", isRunning: false } as const;
    const off = {
      ...unit,
      state: "failed (start-limit-hit)",
      isStartLimitHit: true,
      switchedOff: "disabled",
    };
    const host = hostWith({ services: async () => [off] });
    const facts = await services.look(machineWith({ host }));
    assert.deepEqual(
      facts.map(({ id, detail }) => `${id}: ${detail}`),
      [
        "service-start-limit: openclaw-gateway.service: failed (start-limit-hit)",
        "service-switched-off: openclaw-gateway.service: disabled",
      ],
    );
    assert.equal(await planOf(startService, ...facts, "port-free"), undefined);
    assert.equal(await planOf(freeStartLimit, ...facts, "port-free"), undefined);
    assert.ok(await planOf(freeStartLimit, { ...limited, source: "systemd" }, facts[1]!));
  });

  test("without linger get it, and undo takes it away", async () => {
    const plan = await planOf(enableLinger, "service-without-linger");
    assert.equal(plan?.risk, "disruptive");
    assert.deepEqual(plan?.undo, [{ kind: "run", command: ["loginctl", "disable-linger", "u"] }]);
    assert.equal(await planOf(enableLinger, down), undefined);
  });
});
