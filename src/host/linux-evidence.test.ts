import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { describe, test } from "node:test";
import { linuxEvidence, parseCgroup, parseKmsg } from "./linux-evidence.ts";

function table(...lines: string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

describe("parseCgroup finds the memory controller's folder", () => {
  const tables: Record<string, readonly [text: string, folder: string | undefined]> = {
    "of v1": [
      table("9:name=systemd:/", "8:pids:/", "4:memory:/process_api/ab32", "1:cpu:/"),
      "/sys/fs/cgroup/memory/process_api/ab32",
    ],
    "of v1, joined with a controller before it": [
      table("5:cpu,memory:/a", "1:cpu:/b"),
      "/sys/fs/cgroup/memory/a",
    ],
    "of v1, joined with one behind it": [table("5:memory,hugetlb:/a"), "/sys/fs/cgroup/memory/a"],
    "of v1, joined on both sides": [table("5:blkio,memory,hugetlb:/a"), "/sys/fs/cgroup/memory/a"],
    "of v1, at its root": [table("4:memory:/", "0::/"), "/sys/fs/cgroup/memory/"],
    "of v2": [table("0::/user.slice/gateway.service"), "/sys/fs/cgroup/user.slice/gateway.service"],
    "of v2, in a container, which sees itself as the root": [table("0::/"), "/sys/fs/cgroup/"],
    "of a hybrid, where v2 only keeps the processes": [
      table("4:memory:/system.slice/gateway.service", "1:name=systemd:/", "0::/system.slice/other"),
      "/sys/fs/cgroup/memory/system.slice/gateway.service",
    ],
    "of a hybrid, where v1 has other controllers": [
      table("2:cpuset:/", "1:net_cls,net_prio:/", "0::/system.slice/gateway.service"),
      "/sys/fs/cgroup/system.slice/gateway.service",
    ],
    "with a colon in its name": [table("0::/a:b"), "/sys/fs/cgroup/a:b"],
    "nowhere, without one": [table("8:pids:/", "1:cpu:/"), undefined],
    "nowhere, when only a name looks like it": [table("3:name=memory:/a", "2:cpu:/memory"), undefined],
    "nowhere in nothing": ["", undefined],
  };
  for (const [where, [text, folder]] of Object.entries(tables)) {
    test(where, () => assert.equal(parseCgroup(text, ""), folder));
  }

  // as Docker 20.10 mounts it
  const mounts = table(
    "119 118 0:51 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755",
    "123 119 0:32 /docker/3f4e /sys/fs/cgroup/memory ro,nosuid,relatime - cgroup cgroup rw,memory",
  );
  for (const [where, path, folder] of [
    ["in a container, where only its own part is mounted", "/docker/3f4e", "/sys/fs/cgroup/memory"],
    ["below that part", "/docker/3f4e/gateway", "/sys/fs/cgroup/memory/gateway"],
    ["beside that part", "/docker/3f4eb", "/sys/fs/cgroup/memory/docker/3f4eb"],
  ] as const) {
    test(where, () => assert.equal(parseCgroup(table(`4:memory:${path}`), mounts), folder));
  }

  test("where all of it is mounted", () => {
    const whole = mounts.replace("/docker/3f4e", "/");
    assert.equal(parseCgroup(table("4:memory:/a"), whole), "/sys/fs/cgroup/memory/a");
  });
});

describe("parseKmsg", () => {
  test("reads the time since boot and the text, and leaves the details", () => {
    const record =
      "6,1294,15711933141,-;Memory cgroup out of memory: Killed process 10652 (node)\n SUBSYSTEM=x\n";
    assert.deepEqual(parseKmsg(record), {
      sinceBootMs: 15_711_933.141,
      text: "Memory cgroup out of memory: Killed process 10652 (node)",
    });
  });

  test("reads further fields of the prefix, and semicolons in the text", () => {
    assert.deepEqual(parseKmsg("4,7,1000,-,caller=T123;node[1]: segfault; really"), {
      sinceBootMs: 1,
      text: "node[1]: segfault; really",
    });
  });

  for (const record of ["", "no record", "<6>[    1.0] text", "6,1,-;x", " SUBSYSTEM=x"]) {
    test(`takes ${JSON.stringify(record)} for none`, () => assert.equal(parseKmsg(record), undefined));
  }
});

describe("our own process, for real", {
  skip: process.platform === "linux" ? false : "only on linux",
}, () => {
  test("usage: what it uses now, at most, and its open files", async () => {
    const usage = await linuxEvidence.usage(process.pid);
    const now = process.memoryUsage.rss();
    assert.ok(
      usage!.rssBytes > now / 2 && usage!.rssBytes < now * 2,
      `${usage!.rssBytes} is not near ${now}`,
    );
    assert.ok(usage!.peakRssBytes! >= usage!.rssBytes);
    assert.ok(usage!.openFiles! > 3);
  });

  test("usage of a process that has ended: none", async () => {
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(child, "exit");
    assert.equal(await linuxEvidence.usage(child.pid!), undefined);
    assert.equal(await linuxEvidence.cgroupOf(child.pid!), undefined);
    assert.equal(await linuxEvidence.handlesSignal(child.pid!, constants.signals.SIGUSR1), false);
  });

  test("usage of a zombie: none", async (t) => {
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.after(() => parent.kill("SIGKILL"));
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line);
    while ((await linuxEvidence.usage(pid)) !== undefined) await new Promise(setImmediate);
  });

  test("cgroupOf and cgroupMemory: its folder, what is used there, and a limit only where there is one", async (t) => {
    const path = await linuxEvidence.cgroupOf(process.pid);
    if (path === undefined) return t.skip("no cgroups here");
    assert.match(path, /^\/sys\/fs\/cgroup/);
    const memory = await linuxEvidence.cgroupMemory(path);
    if (memory === undefined) return t.skip("the memory controller is not ours to read");
    assert.equal(memory.path, path);
    const { usageBytes = 1, limitBytes = 1, oomKills = 0 } = memory;
    assert.ok(usageBytes > 0 && oomKills >= 0);
    assert.ok(limitBytes > 0 && limitBytes < 2 ** 60, "'no limit' is no number");
  });

  test("cgroupMemory of a folder that is gone: none", async () => {
    assert.equal(await linuxEvidence.cgroupMemory("/sys/fs/cgroup/gone-by-now"), undefined);
  });

  test("handlesSignal: only the signals it handles", async (t) => {
    const { SIGUSR1, SIGWINCH } = constants.signals;
    assert.equal(await linuxEvidence.handlesSignal(process.pid, SIGUSR1), true, "Node's debugger");
    assert.equal(await linuxEvidence.handlesSignal(process.pid, SIGWINCH), false);
    const listener = () => undefined;
    process.on("SIGWINCH", listener);
    t.after(() => process.off("SIGWINCH", listener));
    assert.equal(await linuxEvidence.handlesSignal(process.pid, SIGWINCH), true);
  });

  test("handlesSignal: a program that would die of SIGUSR1", async (t) => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    t.after(() => child.kill("SIGKILL"));
    await once(child, "spawn");
    assert.equal(await linuxEvidence.handlesSignal(child.pid!, constants.signals.SIGUSR1), false);
  });

  test("kernelLines: only telling ones, or the word that it may not look", async () => {
    const lines = await linuxEvidence.kernelLines(0);
    for (const line of lines ?? []) {
      assert.match(
        line,
        /suspend|memory|oom|kill|segfault|general protection|traps:|invalid opcode|divide error/i,
      );
    }
  });
});
