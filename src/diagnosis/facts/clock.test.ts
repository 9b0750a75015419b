import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { hostWith, machineWith, NOW, processWith } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { clock } from "./clock.ts";

const MINUTE_MS = 60_000;

async function found(host: Parameters<typeof hostWith>[0], changes: Partial<Machine> = {}) {
  return (await clock.look(machineWith({ host: hostWith(host), ...changes }))).map(({ id }) => id);
}

describe("sleep", () => {
  test("is what the kernel says of the last minutes", async () => {
    const lines = ["PM: suspend entry (deep)", "PM: suspend exit"];
    assert.deepEqual(await found({ kernelLines: async () => lines }), ["host-slept"]);
    assert.deepEqual(await found({ kernelLines: async () => ["PM: suspend entry (deep)"] }), []);
    assert.deepEqual(await found({ kernelLines: async () => undefined }), []);
  });

  test("is told by a Mac with its time", async () => {
    const woke = (agoMs: number) => ({ sleep: async () => ({ wokeAt: NOW - agoMs }) });
    assert.deepEqual(await found(woke(MINUTE_MS)), ["host-slept"]);
    assert.deepEqual(await found(woke(60 * MINUTE_MS)), []);
  });

  test("since the boot is the difference of two clocks", async () => {
    assert.deepEqual(await found({ sleep: async () => ({ sleptMs: 3_600_000 }) }), ["host-has-slept"]);
    assert.deepEqual(await found({ sleep: async () => ({ sleptMs: 12 }) }), []);
  });

  // in a namespace of time the kernel shows a machine's clocks as after a sleep of an hour (time_namespaces(7))
  test("since the boot is seen as the kernel shows it", async (t) => {
    const script = `import(${JSON.stringify(join(import.meta.dirname, "../../host/linux.ts"))})
      .then(async ({ linux }) => console.log(JSON.stringify(await linux.sleep())))`;
    const args = ["--time", "--boottime", "3600", process.execPath, "-e", script];
    const result = await promisify(execFile)("unshare", args).catch(() => undefined);
    if (result === undefined) return t.skip("namespaces of time need root and Linux 5.6");
    const { sleptMs } = JSON.parse(result.stdout) as { sleptMs: number };
    assert.ok(Math.abs(sleptMs - 3_600_000) < MINUTE_MS, `${sleptMs}`);
  });
});

describe("a clock that was set", () => {
  const lock = { path: "/lock", pid: 4711, startTime: "100", port: undefined };
  const since = (createdAt: number) => ({
    processes: async () => [processWith({ startedAt: NOW })],
    openclawLocks: async () => [{ ...lock, createdAt: new Date(createdAt).toISOString() }],
  });

  test("makes a process younger than the note of its start", async () => {
    assert.deepEqual(await found({}, since(NOW - 60 * MINUTE_MS)), ["clock-set"]);
  });

  test("is not seen where the note came after the start, however late, or of another process", async () => {
    assert.deepEqual(await found({}, since(NOW)), []);
    assert.deepEqual(await found({}, since(NOW + MINUTE_MS)), []);
    const other = {
      ...since(NOW - 60 * MINUTE_MS),
      processes: async () => [processWith({ startTime: "99" })],
    };
    assert.deepEqual(await found({}, other), []);
  });
});
