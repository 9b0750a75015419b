import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Host, ProcessFacts } from "../host/types.ts";
import { acquireLock, isAlive, type LockOwner, readLockOwner } from "./lock.ts";

const SELF: LockOwner = { pid: 100, startTime: "5000", bootId: "boot-b" };
const OTHER: LockOwner = { pid: 200, startTime: "7000", bootId: "boot-b" };

/** A machine in its boot "boot-b" on which these processes live. */
function machine(...owners: (LockOwner & { state?: ProcessFacts["state"] })[]): Host {
  return {
    bootId: async () => "boot-b",
    process: async (pid) => {
      const owner = owners.find((other) => other.pid === pid);
      if (owner === undefined) return undefined;
      return { pid, startTime: owner.startTime, state: owner.state ?? "sleeping", cpuMs: 0, command: "x" };
    },
    processes: async () => [],
    services: async () => undefined,
    marked: async () => [],
    portOwners: async () => [],
    portClients: async () => [],
    portUsers: async () => [],
    usage: async () => undefined,
    cgroupOf: async () => undefined,
    cgroupMemory: async () => undefined,
    cgroupPids: async () => undefined,
    serviceLog: async () => undefined,
    portRule: async () => undefined,
    sleep: async () => undefined,
    kernelLines: async () => undefined,
    handlesSignal: async () => false,
  };
}

async function lockFolder() {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-lock-"));
  return {
    path: join(folder, "supervisor.lock"),
    names: () => readdir(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe("acquireLock", () => {
  test("takes a free lock, private and with its owner in it, and leaves nothing else", async () => {
    await using folder = await lockFolder();
    await acquireLock(folder.path, SELF, machine(SELF));
    assert.deepEqual(await readLockOwner(folder.path), SELF);
    assert.equal((await stat(folder.path)).mode & 0o777, 0o600);
    assert.deepEqual(await folder.names(), ["supervisor.lock"]);
  });

  test("is refused while the owner lives, names it, and leaves its lock alone", async () => {
    await using folder = await lockFolder();
    await acquireLock(folder.path, OTHER, machine(SELF, OTHER));
    await assert.rejects(acquireLock(folder.path, SELF, machine(SELF, OTHER)), {
      code: "ALREADY_RUNNING",
      message: `Cannot take ${folder.path} as it belongs to a running supervisor: pid 200`,
    });
    assert.deepEqual(await readLockOwner(folder.path), OTHER);
    assert.deepEqual(await folder.names(), ["supervisor.lock"]);
  });

  const stale: { name: string; text: string; host: Host }[] = [
    { name: "whose owner is gone", text: JSON.stringify(OTHER), host: machine(SELF) },
    {
      name: "whose pid is another process's now",
      text: JSON.stringify({ ...OTHER, startTime: "6999" }),
      host: machine(SELF, OTHER),
    },
    {
      name: "of an earlier boot",
      text: JSON.stringify({ ...OTHER, bootId: "boot-a" }),
      host: machine(SELF, OTHER),
    },
    {
      name: "whose owner is a zombie",
      text: JSON.stringify(OTHER),
      host: machine(SELF, { ...OTHER, state: "zombie" }),
    },
    { name: "that is half written", text: JSON.stringify(OTHER).slice(0, 12), host: machine(SELF, OTHER) },
    { name: "that is empty", text: "", host: machine(SELF, OTHER) },
    { name: "that names no owner", text: '{"pid":"200"}', host: machine(SELF, OTHER) },
  ];
  for (const { name, text, host } of stale) {
    test(`takes over a lock ${name}`, async () => {
      await using folder = await lockFolder();
      await writeFile(folder.path, text);
      await acquireLock(folder.path, SELF, host);
      assert.deepEqual(await readLockOwner(folder.path), SELF);
      assert.deepEqual(await folder.names(), ["supervisor.lock"]);
    });
  }

  // One that puts back a lock it had moved away too early must not let a third one in meanwhile.
  test("of many at once over a stale lock exactly one wins, every time", async () => {
    const owners = Array.from({ length: 20 }, (_, i) => ({ ...SELF, pid: 300 + i }));
    const host = machine(...owners);
    for (let round = 0; round < 25; round++) {
      await using folder = await lockFolder();
      await writeFile(folder.path, JSON.stringify({ pid: 999, startTime: "1", bootId: "boot-b" }));
      const results = await Promise.allSettled(owners.map((owner) => acquireLock(folder.path, owner, host)));
      const winners = owners.filter((_, i) => results[i]!.status === "fulfilled");
      assert.deepEqual(winners, [await readLockOwner(folder.path)], `round ${round}`);
      assert.deepEqual(await folder.names(), ["supervisor.lock"]);
    }
  });
});

describe("release", () => {
  test("removes the lock, and a second time does nothing", async () => {
    await using folder = await lockFolder();
    const lock = await acquireLock(folder.path, SELF, machine(SELF));
    await lock.release();
    await lock.release();
    assert.deepEqual(await folder.names(), []);
  });

  test("leaves a lock alone that somebody else has taken over", async () => {
    await using folder = await lockFolder();
    const lock = await acquireLock(folder.path, SELF, machine(SELF));
    await writeFile(folder.path, JSON.stringify(OTHER));
    await lock.release();
    assert.equal(await readFile(folder.path, "utf8"), JSON.stringify(OTHER));
  });
});

test("an owner is alive only in its own boot, with its own start time", async () => {
  const host = machine(OTHER);
  assert.equal(await isAlive(OTHER, host), true);
  assert.equal(await isAlive({ ...OTHER, startTime: "7001" }, host), false);
  assert.equal(await isAlive({ ...OTHER, bootId: "boot-a" }, host), false);
  assert.equal(await isAlive(SELF, host), false);
});
