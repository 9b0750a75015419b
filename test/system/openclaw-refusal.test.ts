import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ActingOpenclaw } from "../helpers/acting-openclaw.ts";
import { ROOT, TestClawkit, until } from "../helpers/clawkit.ts";

const CLAWKIT = join(ROOT, "src/bin/clawkit.ts");

/** A gateway that refuses its config; its doctor can mend that if `reason` is empty. */
async function refused(t: TestContext, reason: string, more: object) {
  const openclaw = await ActingOpenclaw.create({ refused: reason });
  const clawkit = await TestClawkit.create({ gateway: { upstream: openclaw.upstream(more) } });
  t.after(async () => {
    await clawkit[Symbol.asyncDispose]();
    await openclaw[Symbol.asyncDispose]();
  });
  return { clawkit, openclaw };
}

describe("an OpenClaw that refuses to start (exit 78)", () => {
  test("is mended once by its own doctor, and started again, if that is allowed", async (t) => {
    const { clawkit, openclaw } = await refused(t, "", { repairRefusals: true });
    const { code, stderr } = await clawkit.cli("gateway", "start");
    assert.equal(code, 0, stderr);
    assert.deepEqual(await openclaw.calls(), ["gateway run", "doctor --fix", "gateway run"]);
  });

  test("is not mended a second time: then it is said why, and that is that", async (t) => {
    const { clawkit, openclaw } = await refused(t, "for good", { repairRefusals: true });
    const { code, stderr } = await clawkit.cli("gateway", "start");
    assert.equal(code, 78);
    assert.match(stderr, /gateway\.mode is unset/);
    assert.deepEqual(await openclaw.calls(), ["gateway run", "doctor --fix", "gateway run"]);
  });

  test("is left alone without leave", async (t) => {
    const { clawkit, openclaw } = await refused(t, "", {});
    assert.equal((await clawkit.cli("gateway", "start")).code, 78);
    assert.deepEqual(await openclaw.calls(), ["gateway run"]);
  });

  // its doctor may take minutes: it went on, and changed OpenClaw's state, behind a stop that had returned
  test("a stop ends its doctor", async (t) => {
    const { clawkit, openclaw } = await refused(t, "", { repairRefusals: true });
    await openclaw.write("doctor-hangs", "");
    await clawkit.runForeground();
    await until(() => openclaw.has("doctor-pid") || undefined);
    const doctor = await openclaw.pidOf("doctor-pid");
    assert.equal((await clawkit.cli("gateway", "stop")).code, 0);
    assert.throws(() => process.kill(doctor, 0), { code: "ESRCH" });
    assert.deepEqual(await openclaw.calls(), ["gateway run", "doctor --fix"]);
  });

  // it refused its own config: that one is mended, not ClawKit's
  test("is started again when OpenClaw's config was changed", async (t) => {
    const { clawkit, openclaw } = await refused(t, "for good", {});
    const config = join(openclaw.folder, "openclaw.json");
    const start = [CLAWKIT, "gateway", "start"];
    const { code } = await clawkit.spawnAndWait(process.execPath, start, { OPENCLAW_CONFIG_PATH: config });
    assert.equal(code, 78);
    assert.deepEqual(await openclaw.calls(), ["gateway run"]);
    await rm(join(openclaw.folder, "refused"));
    let edits = 0;
    await until(async () => {
      await writeFile(config, `{ gateway: { mode: "local" } } // edit ${edits++}`);
      return (await clawkit.status()).state === "healthy" || undefined;
    });
    assert.deepEqual(await openclaw.calls(), ["gateway run", "gateway run"]);
  });
});
