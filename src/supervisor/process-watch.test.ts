import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { CgroupMemory, Host, ProcessUsage } from "../host/types.ts";
import { ProcessWatch } from "./process-watch.ts";

const PID = 4711;
const MB = 2 ** 20;
const START = Date.parse("2026-11-22T10:00:00Z");

type Answer<T> = T | undefined | Error;

/** A machine on which one process lives; a test changes what it answers. */
class Machine {
  usage: Answer<ProcessUsage> = { rssBytes: 50 * MB, openFiles: 20 };
  cgroup: Answer<string> = "/sys/fs/cgroup/app";
  memory: Answer<CgroupMemory> = { path: "/sys/fs/cgroup/app", oomKills: 0 };
  readonly asked: number[] = [];

  readonly host = {
    usage: async (pid: number) => {
      this.asked.push(pid);
      return given(this.usage);
    },
    cgroupOf: async () => given(this.cgroup),
    cgroupMemory: async () => given(this.memory),
  } as unknown as Host;
}

function given<T>(answer: Answer<T>): T | undefined {
  if (answer instanceof Error) throw answer;
  return answer;
}

/** A watch that has had its first look, and a way to let time pass. */
async function watching(t: TestContext, machine = new Machine()) {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: START });
  const watch = new ProcessWatch(PID, machine.host, Date.now);
  t.after(() => watch.stop());
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed++) {
      t.mock.timers.tick(1_000);
      await setImmediate();
    }
  };
  await setImmediate();
  return { machine, watch, pass };
}

const MEMORY_BEFORE = { path: "/sys/fs/cgroup/app", oomKills: 0 };

describe("ProcessWatch", () => {
  test("looks at once, and then every 2 s", async (t) => {
    const { machine, watch, pass } = await watching(t);
    await pass(4);
    machine.usage = { rssBytes: 60 * MB, openFiles: 21 };
    await pass(2);
    assert.deepEqual(watch.looks, [
      { at: START, rssBytes: 50 * MB, openFiles: 20 },
      { at: START + 2_000, rssBytes: 50 * MB, openFiles: 20 },
      { at: START + 4_000, rssBytes: 50 * MB, openFiles: 20 },
      { at: START + 6_000, rssBytes: 60 * MB, openFiles: 21 },
    ]);
    assert.deepEqual(new Set(machine.asked), new Set([PID]));
  });

  test("keeps the last five minutes", async (t) => {
    const { watch, pass } = await watching(t);
    await pass(400);
    assert.equal(watch.looks.length, 150);
    assert.deepEqual([watch.looks[0]!.at, watch.looks.at(-1)!.at], [START + 102_000, START + 400_000]);
  });

  test("remembers the highest it saw, also when it has gone down since", async (t) => {
    const { machine, watch, pass } = await watching(t);
    machine.usage = { rssBytes: 300 * MB };
    await pass(2);
    machine.usage = { rssBytes: 40 * MB };
    await pass(2);
    assert.equal(watch.peakRssBytes, 300 * MB);
  });

  test("takes the system's own peak, which may lie between two looks", async (t) => {
    const { machine, watch, pass } = await watching(t);
    machine.usage = { rssBytes: 60 * MB, peakRssBytes: 900 * MB };
    await pass(2);
    assert.equal(watch.peakRssBytes, 900 * MB);
  });

  test("leaves out open files where they may not be counted", async (t) => {
    const machine = new Machine();
    machine.usage = { rssBytes: MB };
    const { watch } = await watching(t, machine);
    assert.deepEqual(watch.looks, [{ at: START, rssBytes: MB }]);
  });

  test("keeps what it knows of a process that is gone", async (t) => {
    const { machine, watch, pass } = await watching(t);
    machine.usage = undefined;
    await pass(10);
    assert.equal(watch.looks.length, 1);
    assert.equal(watch.peakRssBytes, 50 * MB);
  });

  test("passes over looks that fail, and goes on", async (t) => {
    const { machine, watch, pass } = await watching(t);
    machine.usage = new Error("EMFILE: too many open files");
    await pass(4);
    machine.usage = { rssBytes: MB };
    await pass(2);
    assert.deepEqual(
      watch.looks.map(({ rssBytes }) => rssBytes),
      [50 * MB, MB],
    );
  });

  test("remembers the cgroup of the start, and reads it again when the process is gone", async (t) => {
    const { machine, watch } = await watching(t);
    machine.usage = undefined;
    machine.cgroup = undefined;
    machine.memory = { path: "/sys/fs/cgroup/app", oomKills: 1 };
    assert.deepEqual(watch.cgroupBefore, MEMORY_BEFORE);
    assert.deepEqual(await watch.cgroupNow(), { path: "/sys/fs/cgroup/app", oomKills: 1 });
  });

  test("has no cgroup where the system has none, or may not say", async (t) => {
    for (const cgroup of [undefined, new Error("EACCES")]) {
      await t.test(`${cgroup}`, async (t) => {
        const machine = new Machine();
        machine.cgroup = cgroup;
        const { watch } = await watching(t, machine);
        assert.deepEqual([watch.cgroupBefore, await watch.cgroupNow()], [undefined, undefined]);
        assert.equal(watch.looks.length, 1);
      });
    }
  });

  test("does not fail when the cgroup went with its process", async (t) => {
    const { machine, watch } = await watching(t);
    machine.memory = new Error("ENOENT");
    assert.equal(await watch.cgroupNow(), undefined);
  });

  test("remembers the highest heap it was told of", async (t) => {
    const { watch } = await watching(t);
    assert.equal(watch.peakHeapBytes, undefined);
    for (const heap of [10, 30, 20]) watch.noteHeap(heap * MB);
    assert.equal(watch.peakHeapBytes, 30 * MB);
  });

  test("looks no more once it is stopped", async (t) => {
    const { machine, watch, pass } = await watching(t);
    watch.stop();
    await pass(10);
    assert.equal(machine.asked.length, 1);
  });
});
