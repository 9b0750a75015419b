import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostWith, machineWith, processWith } from "../../../test/helpers/machine.ts";
import type { Host, ProcessFacts } from "../../host/types.ts";
import { processes } from "./processes.ts";

const GATEWAY = {
  executable: "/usr/bin/node",
  command: "node /usr/lib/node_modules/openclaw/dist/index.js gateway",
};

/** What is found among these processes, with the details by id. */
async function found(all: readonly ProcessFacts[], host: Partial<Host> = {}) {
  const machine = machineWith({
    openclawDirs: ["/home/u/.openclaw"],
    processes: async () => all,
    host: hostWith({
      portOwners: async () => all.map(({ pid }) => ({ address: "127.0.0.1", pid })),
      process: async (pid) => all.find((one) => one.pid === pid),
      ...host,
    }),
  });
  const facts = await processes.look(machine);
  return { ids: facts.map(({ id }) => id), details: facts.map(({ detail }) => detail).join("\n") };
}

describe("processes of gateways", { concurrency: true }, () => {
  test("are none on a machine without any", async () => {
    assert.deepEqual((await found([processWith()])).ids, ["no-gateway-process"]);
  });

  test("are told of, with pid and user", async () => {
    const { ids, details } = await found([processWith(GATEWAY)]);
    assert.deepEqual(ids, ["family-lives"]);
    assert.match(details, /pid 4711 of u: node .* gateway$/);
  });

  test("are several if one user has two, not if another user has one", async () => {
    const two = [processWith({ ...GATEWAY, pid: 1 }), processWith({ ...GATEWAY, pid: 2 })];
    assert.ok((await found(two)).ids.includes("gateways-several"));
    const [mine, theirs] = [two[0]!, { ...two[1]!, user: "ana" }];
    assert.ok(!(await found([mine, theirs])).ids.includes("gateways-several"));
  });

  test("that are defunct hold no port, and their parent is named", async () => {
    const parent = processWith({ pid: 1, command: "/sbin/docker-init" });
    const dead = processWith({ pid: 2, parentPid: 1, state: "zombie", command: "[openclaw-gatewa]" });
    const { ids, details } = await found([parent, dead]);
    assert.deepEqual(ids, ["gateway-defunct", "no-gateway-process"]);
    assert.match(details, /its parent \(pid 1, \/sbin\/docker-init\) has not collected it/);
  });

  test("that hold neither the port nor our lock have troubles of their own", async () => {
    const stopped = [processWith({ ...GATEWAY, state: "stopped" })];
    const elsewhere = { portOwners: async () => [] };
    assert.ok(!(await found(stopped, elsewhere)).ids.includes("process-stopped"));
  });

  test("that are stopped", async () => {
    assert.ok((await found([processWith({ ...GATEWAY, state: "stopped" })])).ids.includes("process-stopped"));
  });

  test("that have no file descriptors left", async () => {
    const usage = async () => ({ rssBytes: 1, openFiles: 1_023, maxOpenFiles: 1_024 });
    assert.ok((await found([processWith(GATEWAY)], { usage })).ids.includes("files-used-up"));
    const enough = async () => ({ rssBytes: 1, openFiles: 100, maxOpenFiles: 1_024 });
    assert.ok(!(await found([processWith(GATEWAY)], { usage: enough })).ids.includes("files-used-up"));
  });

  test("that take a whole core, as long as the pid stays theirs", async () => {
    const began = performance.now();
    const busy = (startTime: () => string): Partial<Host> => ({
      process: async () =>
        processWith({ ...GATEWAY, startTime: startTime(), cpuMs: (performance.now() - began) * 0.99 }),
    });
    assert.ok(
      (
        await found(
          [processWith(GATEWAY)],
          busy(() => "100"),
        )
      ).ids.includes("process-burning"),
    );
    let lives = 0;
    assert.ok(
      !(
        await found(
          [processWith(GATEWAY)],
          busy(() => String(++lives)),
        )
      ).ids.includes("process-burning"),
    );
  });
});
