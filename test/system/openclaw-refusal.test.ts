import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { program, TestClawkit } from "../helpers/clawkit.ts";

/** A gateway that refuses its config; its doctor can mend that if `reason` is empty. */
async function refused(t: TestContext, reason: string, more: object) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-test-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "refused");
  await writeFile(file, reason);
  const upstream = { type: "openclaw", command: program("refusing-openclaw", file), ...more };
  const clawkit = await TestClawkit.create({ gateway: { upstream } });
  t.after(() => clawkit[Symbol.asyncDispose]());
  const calls = async () => (await readFile(`${file}.calls`, "utf8")).trim().split("\n");
  return { clawkit, calls };
}

describe("an OpenClaw that refuses to start (exit 78)", () => {
  test("is mended once by its own doctor, and started again, if that is allowed", async (t) => {
    const { clawkit, calls } = await refused(t, "", { repairRefusals: true });
    const { code, stderr } = await clawkit.cli("gateway", "start");
    assert.equal(code, 0, stderr);
    assert.deepEqual(await calls(), ["gateway run", "doctor --fix", "gateway run"]);
  });

  test("is not mended a second time: then it is said why, and that is that", async (t) => {
    const { clawkit, calls } = await refused(t, "for good", { repairRefusals: true });
    const { code, stderr } = await clawkit.cli("gateway", "start");
    assert.equal(code, 78);
    assert.match(stderr, /gateway\.mode is unset/);
    assert.deepEqual(await calls(), ["gateway run", "doctor --fix", "gateway run"]);
  });

  test("is left alone without leave", async (t) => {
    const { clawkit, calls } = await refused(t, "", {});
    assert.equal((await clawkit.cli("gateway", "start")).code, 78);
    assert.deepEqual(await calls(), ["gateway run"]);
  });
});
