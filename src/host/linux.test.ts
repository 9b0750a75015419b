import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { hostFixture, testHostForReal } from "../../test/helpers/host.ts";
import { linux, parseListeners, parseStat } from "./linux.ts";

const stat = (name: string) => parseStat(hostFixture("linux", `stat-${name}`));

describe("parseStat", () => {
  for (const state of ["sleeping", "stopped", "zombie"] as const) {
    test(`reads a ${state} process past a name with spaces and parentheses`, () => {
      assert.deepEqual(stat(`odd-name-${state}`), {
        name: "a) S (b c",
        state,
        parentPid: 6163,
        startTime: "185190",
        cpuMs: 0,
      });
    });
  }

  test("adds user and system time, 10 ms a tick", () => {
    assert.deepEqual(stat("busy"), {
      name: "python3",
      state: "running",
      parentPid: 6163,
      startTime: "185250",
      cpuMs: 1030,
    });
  });

  test("does not call a debugger's stop stopped", () => {
    assert.equal(stat("traced").state, "unknown");
  });

  test("reads a kernel thread", () => {
    assert.deepEqual(stat("kernel-thread"), {
      name: "pool_workqueue_release",
      state: "sleeping",
      parentPid: 2,
      startTime: "25",
      cpuMs: 0,
    });
  });
});

describe("parseListeners", () => {
  const tcp = hostFixture("linux", "tcp");
  const tcp6 = hostFixture("linux", "tcp6");

  test("finds the listener, not the connections of its port", () => {
    assert.deepEqual(parseListeners(tcp, 18789), [{ address: "127.0.0.1", inode: "19593" }]);
    assert.deepEqual(parseListeners(tcp6, 18789), [{ address: "::1", inode: "19595" }]);
  });

  test("reads the addresses that mean every interface", () => {
    assert.deepEqual(parseListeners(tcp, 18790), [{ address: "0.0.0.0", inode: "19594" }]);
    assert.deepEqual(parseListeners(tcp6, 18791), [{ address: "::", inode: "19596" }]);
  });

  test("finds nothing on a port that is only connected to, or free", () => {
    assert.deepEqual(parseListeners(tcp, 18791), []);
    assert.deepEqual(parseListeners(tcp, 1), []);
  });
});

testHostForReal(linux, "linux");

describe("linux for real", { skip: process.platform === "linux" ? false : "only on linux" }, () => {
  test("knows our own executable, user and command line", async () => {
    const facts = await linux.process(process.pid);
    assert.equal(facts?.executable, process.execPath);
    assert.match(facts?.user ?? "", /\S/);
    assert.ok(facts?.command.startsWith(process.argv0));
  });

  test("gives processes that started apart different start times", async () => {
    const [ours, init] = await Promise.all([linux.process(process.pid), linux.process(1)]);
    assert.notEqual(ours?.startTime, init?.startTime);
  });

  test("finds a listener on every interface, both families", async (t) => {
    const server = createServer().listen(0, "::");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const owners = await linux.portOwners(port);
    assert.deepEqual(
      owners.map(({ address, pid }) => ({ address, pid })),
      [{ address: "::", pid: process.pid }],
    );
  });
});
