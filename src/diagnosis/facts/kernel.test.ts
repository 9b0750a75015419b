import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostWith, machineWith } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { kernel } from "./kernel.ts";

// as the kernel of Linux 6.x prints them (mm/oom_kill.c, arch/x86/mm/fault.c)
const KILLED =
  "Out of memory: Killed process 4711 (openclaw-gatewa) total-vm:9936688kB, anon-rss:129756kB, UID:1000";
const SEGFAULT =
  "node[4711]: segfault at 0 ip 0000000000f3d0f0 sp 00007ffd2c1f5b60 error 4 in node[400000+4c00000]";
const OTHER = "Out of memory: Killed process 99 (postgres) total-vm:1kB, anon-rss:1kB, UID:70";

const lock = { path: "/lock", startTime: undefined, createdAt: undefined, port: undefined };

async function found(lines: string[] | undefined, changes: Partial<Machine> = {}): Promise<string[]> {
  const host = hostWith({ kernelLines: async () => lines });
  return (await kernel.look(machineWith({ host, ...changes }))).map(({ id }) => id);
}

describe("the kernel's log", () => {
  test("that names no gateway is silent, whatever it says of others", async () => {
    assert.deepEqual(await found([]), ["kernel-silent"]);
    assert.deepEqual(await found([OTHER]), ["kernel-silent"]);
  });

  test("that may not be read is not looked at: that is not silence", async () => {
    await assert.rejects(found(undefined), { message: "this user, or this system, may not look" });
  });

  test("names the gateway of a lock that was killed", async () => {
    const ids = await found([KILLED], { openclawLocks: async () => [{ ...lock, pid: 4711 }] });
    assert.ok(ids.includes("kernel-killed-gateway"), ids.join());
  });

  test("names a Node that was killed, where nothing says that it was another one", async () => {
    assert.deepEqual(await found([KILLED]), ["kernel-killed-node"]);
    const ids = await found([KILLED], { openclawLocks: async () => [{ ...lock, pid: 5 }] });
    assert.ok(!ids.includes("kernel-killed-gateway"), ids.join());
  });

  // Every machine on which some Node had been killed was told: oom, possible.
  test("says nothing of a Node that was killed where there is no OpenClaw", async () => {
    const line = KILLED.replace("openclaw-gatewa", "MainThread");
    assert.deepEqual(await found([line]), []);
    assert.deepEqual(await found([line], { isOpenClaw: async () => true }), ["kernel-killed-node"]);
  });

  test("names a crash", async () => assert.deepEqual(await found([SEGFAULT]), ["kernel-saw-crash"]));
});
