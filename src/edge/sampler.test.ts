import assert from "node:assert/strict";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { beforeEach, describe, type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Note, Sample } from "../core/records.ts";
import type { Host } from "../host/types.ts";
import { Sampler } from "./sampler.ts";

const GB = 2 ** 30;
const WALL = Date.parse("2026-11-22T10:00:00Z");
const SECOND = { mono: 1_000, wall: 1_000, boot: 1_000 };

/** The machine as the sampler sees it, and as its test changes it. */
interface Machine {
  mono: number;
  wall: number;
  boot: number;
  freeMemory: number;
  freeDisk: number | Error;
  gatewayPid: number | undefined;
  gatewayRss: number | undefined | Error;
}

async function rig(t: TestContext) {
  const machine: Machine = {
    mono: 7_000,
    wall: WALL,
    boot: 90_000_000,
    freeMemory: 4 * GB,
    freeDisk: 50 * GB,
    gatewayPid: 4711,
    gatewayRss: GB,
  };
  t.mock.timers.enable({ apis: ["setInterval"] });
  t.mock.method(os, "uptime", () => machine.boot / 1000);
  t.mock.method(os, "freemem", () => machine.freeMemory);
  t.mock.method(os, "totalmem", () => 8 * GB);
  t.mock.method(fsPromises, "statfs", async () => {
    if (machine.freeDisk instanceof Error) throw machine.freeDisk;
    return { bsize: 4096, bavail: machine.freeDisk / 4096, blocks: (100 * GB) / 4096 };
  });
  syncBuiltinESMExports();

  const samples: Sample[] = [];
  const notes: Note[] = [];
  const asked: number[] = [];
  const sampler = new Sampler({
    clock: { now: () => machine.mono, wall: () => machine.wall },
    host: {
      usage: async (pid: number) => {
        asked.push(pid);
        if (machine.gatewayRss instanceof Error) throw machine.gatewayRss;
        return machine.gatewayRss === undefined ? undefined : { rssBytes: machine.gatewayRss };
      },
    } as unknown as Host,
    stateDir: "/state",
    memory: () => ({ rss: 100, heapUsed: 40 }),
    connections: () => ({ open: 12, held: 3 }),
    gatewayPid: () => machine.gatewayPid,
    onSample: (sample) => samples.push(sample),
    onNote: (note) => notes.push(note),
  });
  t.after(() => sampler.stop());

  /** One turn of the timer, before which the clocks went on by this much. */
  const turn = async (passed = SECOND) => {
    machine.mono += passed.mono;
    machine.wall += passed.wall;
    machine.boot += passed.boot;
    t.mock.timers.tick(1_000);
    await setImmediate();
  };
  const nextSample = async () => {
    const before = samples.length;
    while (samples.length === before) await turn();
    return samples.at(-1)!;
  };
  const told = () => notes.map(({ kind, text }) => `${kind}: ${text}`);
  return { machine, sampler, samples, notes, asked, turn, nextSample, told };
}

beforeEach((t) => (t as TestContext).after(() => syncBuiltinESMExports()));

describe("a jump of time", () => {
  test("is noted as sleep, when the machine was up longer than it ran", async (t) => {
    const { machine, turn, notes, told } = await rig(t);
    await turn();
    await turn({ mono: 1_000, wall: 601_000, boot: 601_000 });
    await turn();
    assert.deepEqual(told(), ["host-slept: the machine slept for 600 s"]);
    assert.equal(notes[0]!.at, machine.wall - 1_000);
  });

  test("is noted as a clock that was set, when only the wall clock jumped: forward and back", async (t) => {
    const { turn, told } = await rig(t);
    await turn({ mono: 1_000, wall: 3_601_000, boot: 1_000 });
    await turn();
    await turn({ mono: 1_000, wall: 1_000 - 7_200_000, boot: 1_000 });
    await turn();
    assert.deepEqual(told(), [
      "clock-set: the clock was set forward by 3600 s",
      "clock-set: the clock was set back by 7200 s",
    ]);
  });

  test("is noted as a stalled edge, when its timer came late by all clocks", async (t) => {
    const { turn, told } = await rig(t);
    await turn({ mono: 9_000, wall: 9_000, boot: 9_000 });
    await turn();
    assert.deepEqual(told(), ["edge-stalled: the edge was stopped, or had no CPU, for 8 s"]);
  });

  test("may be two things at once: it slept, and was stalled", async (t) => {
    const { turn, told } = await rig(t);
    await turn({ mono: 6_000, wall: 66_000, boot: 66_000 });
    assert.deepEqual(
      told().map((text) => text.split(":")[0]),
      ["host-slept", "edge-stalled"],
    );
  });

  test("of up to two seconds is none: clocks are slewed, and machines are busy", async (t) => {
    const { turn, told } = await rig(t);
    await turn({ mono: 1_000, wall: 3_000, boot: 1_000 });
    await turn({ mono: 1_000, wall: -1_000, boot: 1_000 });
    await turn({ mono: 3_000, wall: 3_000, boot: 3_000 });
    await turn({ mono: 1_000, wall: 3_000, boot: 3_000 });
    assert.deepEqual(told(), []);
  });

  test("is none while time just passes", async (t) => {
    const { turn, told } = await rig(t);
    for (let i = 0; i < 120; i++) await turn();
    assert.deepEqual(told(), []);
  });
});

describe("a sample", () => {
  test("is taken every 10 s, with edge, gateway and machine in it", async (t) => {
    const { machine, samples, asked, turn } = await rig(t);
    for (let i = 0; i < 9; i++) await turn();
    assert.equal(samples.length, 0);
    await turn();
    for (let i = 0; i < 10; i++) await turn();
    assert.equal(samples.length, 2);
    const { loopP50Ms, loopP99Ms, ...rest } = samples[1]!;
    assert.deepEqual(rest, {
      at: machine.wall,
      connections: 12,
      held: 3,
      rssBytes: 100,
      heapBytes: 40,
      rttP50Ms: null,
      rttP99Ms: null,
      gatewayRssBytes: GB,
      memoryAvailableBytes: 4 * GB,
      diskFreeBytes: 50 * GB,
    });
    assert.ok(loopP50Ms >= 0 && loopP99Ms >= loopP50Ms, `${loopP50Ms} ${loopP99Ms}`);
    assert.deepEqual(asked, [4711, 4711]);
  });

  test("has the round trips since the last one, and those only", async (t) => {
    const { sampler, nextSample } = await rig(t);
    for (let i = 0; i < 98; i++) sampler.rtt(20);
    sampler.rtt(800);
    sampler.rtt(800);
    const { rttP50Ms, rttP99Ms } = await nextSample();
    assert.ok(Math.abs(rttP50Ms! - 20) < 0.1, `${rttP50Ms}`);
    assert.ok(Math.abs(rttP99Ms! - 800) < 1, `${rttP99Ms}`);
    assert.equal((await nextSample()).rttP50Ms, null);
  });

  test("takes a round trip that no clock could measure", async (t) => {
    const { sampler, nextSample } = await rig(t);
    sampler.rtt(0);
    assert.equal((await nextSample()).rttP50Ms, 0.001);
  });

  test("has null for what cannot be known", async (t) => {
    const { machine, asked, nextSample } = await rig(t);
    machine.gatewayRss = new Error("EACCES");
    machine.freeDisk = new Error("ENOSYS");
    const { gatewayRssBytes, diskFreeBytes } = await nextSample();
    assert.deepEqual([gatewayRssBytes, diskFreeBytes], [null, null]);
    machine.gatewayRss = undefined;
    assert.equal((await nextSample()).gatewayRssBytes, null);
    machine.gatewayPid = undefined;
    assert.equal((await nextSample()).gatewayRssBytes, null);
    assert.equal(asked.length, 2, "nobody is asked about no process");
  });

  test("is not taken any more once it is stopped", async (t) => {
    const { sampler, samples, turn } = await rig(t);
    sampler.stop();
    for (let i = 0; i < 30; i++) await turn();
    assert.deepEqual(samples, []);
  });
});

describe("low", () => {
  test("memory is noted once, until it was enough again", async (t) => {
    const { machine, nextSample, told } = await rig(t);
    machine.freeMemory = 0.3 * GB;
    for (let i = 0; i < 3; i++) await nextSample();
    assert.deepEqual(told(), ["memory-low: the memory of the machine is low: 307 MB of 8192 MB free"]);
    machine.freeMemory = GB;
    await nextSample();
    machine.freeMemory = 0.1 * GB;
    for (let i = 0; i < 3; i++) await nextSample();
    assert.deepEqual(told().slice(1), [
      "memory-low: the memory of the machine is low: 102 MB of 8192 MB free",
    ]);
  });

  test("disk is noted once, and besides memory", async (t) => {
    const { machine, nextSample, told } = await rig(t);
    machine.freeDisk = GB;
    machine.freeMemory = 0;
    for (let i = 0; i < 3; i++) await nextSample();
    assert.deepEqual(told(), [
      "memory-low: the memory of the machine is low: 0 MB of 8192 MB free",
      "disk-low: the disk of the state directory is low: 1024 MB of 102400 MB free",
    ]);
  });

  test("is less than a twentieth: that much is enough", async (t) => {
    const { machine, nextSample, told } = await rig(t);
    machine.freeMemory = 0.4 * GB;
    machine.freeDisk = 5 * GB;
    await nextSample();
    assert.deepEqual(told(), []);
  });

  test("is nothing that cannot be known", async (t) => {
    const { machine, nextSample, told } = await rig(t);
    machine.freeDisk = new Error("ENOSYS");
    await nextSample();
    assert.deepEqual(told(), []);
  });
});
