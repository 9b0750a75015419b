import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { actionsWith, examinationOf, machineWith, NOW } from "../../../test/helpers/machine.ts";
import { statePaths } from "../../config/paths.ts";
import { ownLogs } from "../facts/own-logs.ts";
import { Ledger } from "./ledger.ts";
import { pruneMovedLogs } from "./moved-logs.ts";
import { moveLargeLog } from "./system.ts";

test("a log of ours that is too large is moved aside, and only what was moved is ever deleted", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-logs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const paths = statePaths(folder);
  const machine = machineWith({ paths });
  const ledger = new Ledger(folder, () => Date.now());
  const names = async () => (await readdir(paths.logsDir)).sort();
  const context = async () => ({
    machine,
    examination: await examinationOf("disk-full"),
    actions: actionsWith(),
  });
  await mkdir(paths.logsDir);
  await writeFile(join(paths.logsDir, "edge.log"), "small");
  await writeFile(join(paths.logsDir, "gateway.log.1795000000000"), "somebody else's copy");
  const large = join(paths.logsDir, "gateway.log");
  await writeFile(large, "");
  await truncate(large, 3 * 1024 ** 3); // takes no room
  const facts = await ownLogs.look(machine);
  assert.deepEqual(facts, [{ id: "log-large", detail: "it is 3.0 GB large", source: large }]);
  assert.equal(await pruneMovedLogs.plan(await context()), undefined);

  const examination = await examinationOf(...facts);
  const move = await moveLargeLog.plan({ machine, examination, actions: actionsWith() });
  const { id } = await ledger.carryOut(moveLargeLog.id, move!);
  assert.deepEqual(await ownLogs.look(machine), []);

  const plan = (await pruneMovedLogs.plan(await context()))!;
  assert.equal(plan.risk, "destructive");
  assert.deepEqual(plan.diff, [`- ${large}.${NOW}`]);
  assert.match(plan.what, /\(3\.0 GB\); this cannot be undone$/);
  await ledger.carryOut(pruneMovedLogs.id, plan);
  assert.deepEqual(await names(), ["edge.log", "gateway.log.1795000000000"]);
  assert.equal(await pruneMovedLogs.plan(await context()), undefined);
  await assert.rejects(ledger.undo(id), { code: "USAGE", message: /is gone/ });
});
