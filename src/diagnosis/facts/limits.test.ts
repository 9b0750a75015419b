import assert from "node:assert/strict";
import { test } from "node:test";
import { hostWith, machineWith, stoppedStatus } from "../../../test/helpers/machine.ts";
import type { CgroupMemory, CgroupPids } from "../../host/types.ts";
import { limits } from "./limits.ts";

const MB = 2 ** 20;

async function found(memory: Partial<CgroupMemory>, pids?: Partial<CgroupPids>): Promise<string[]> {
  const host = hostWith({
    cgroupOf: async () => "/group",
    cgroupMemory: async () => ({ path: "/group", ...memory }),
    cgroupPids: async () => (pids === undefined ? undefined : { path: "/group", count: 1, max: 10, ...pids }),
  });
  return (await limits.look(machineWith({ host }))).map(({ id, detail }) => `${id}: ${detail}`);
}

test("a group that is far from its limits says nothing", async () => {
  assert.deepEqual(await found({ usageBytes: 100 * MB, limitBytes: 512 * MB, oomKills: 0 }, {}), []);
  assert.deepEqual(await found({ usageBytes: 100 * MB }), []);
});

test("a group near its limit, one that has killed, and one that is full", async () => {
  assert.deepEqual(await found({ usageBytes: 500 * MB, limitBytes: 512 * MB, oomKills: 2 }, { count: 10 }), [
    "memory-limit-near: 500 MB of 512 MB are used",
    "cgroup-has-killed: the kernel has killed 2 processes there for memory, at some time",
    "processes-used-up: it has 10 processes and threads and may have 10",
  ]);
});

test("it is the gateway's group that is asked, and our own where there is no gateway", async () => {
  const asked: number[] = [];
  const host = hostWith({
    cgroupOf: async (pid) => {
      asked.push(pid);
      return undefined;
    },
  });
  await limits.look(machineWith({ host }));
  const status = stoppedStatus();
  const running = { ...status, gateway: { ...status.gateway, pid: 77 } };
  await limits.look(machineWith({ host, status: async () => running }));
  assert.deepEqual(asked, [process.pid, 77]);
});
