import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Host, ProcessFacts } from "../../src/host/types.ts";

/** A recorded output from `test/fixtures/host`; where it comes from is in the README there. */
export function hostFixture(platform: "linux" | "macos" | "windows", name: string): string {
  return readFileSync(new URL(`../fixtures/host/${platform}/${name}.txt`, import.meta.url), "utf8");
}

/** What every host must answer about the machine it is on. Skipped on other platforms. */
export function testHostForReal(host: Host, platform: "linux" | "darwin" | "win32"): void {
  const skip = process.platform === platform ? false : `only on ${platform}`;
  const skipPosix = platform === "win32" ? "Windows has no such state" : skip;

  describe(`the host interface on ${platform}`, { skip }, () => {
    test("names this boot the same way twice", async () => {
      const bootId = await host.bootId();
      assert.match(bootId, /\S/);
      assert.equal(await host.bootId(), bootId);
    });

    test("knows our own process", async () => {
      const facts = await host.process(process.pid);
      assert.equal(facts?.pid, process.pid);
      assert.ok(["running", "sleeping", "unknown"].includes(facts.state), facts.state);
      assert.ok(facts.cpuMs > 0);
      assert.match(facts.command, /host|node/);
      assert.equal((await host.process(process.pid))?.startTime, facts.startTime);
    });

    test("knows no process that has ended", async () => {
      const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
      await once(child, "exit");
      assert.equal(await host.process(child.pid!), undefined);
    });

    test("tells a stopped process from a running one", { skip: skipPosix }, async (t) => {
      const child = startSleep(t);
      assert.equal((await waitForState(host, child.pid!, "sleeping")).command, "sleep 60");
      child.kill("SIGSTOP");
      await waitForState(host, child.pid!, "stopped");
      child.kill("SIGCONT");
      await waitForState(host, child.pid!, "sleeping");
    });

    test("tells a process nobody waited for", { skip: skipPosix }, async (t) => {
      // The shell becomes a sleep, which never waits for the child the shell had; until then the shell might.
      const child = spawn("sh", ["-c", "exec 3<&0; cat <&3 & echo $!; exec sleep 60 3<&-"]);
      t.after(() => child.kill("SIGKILL"));
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      while ((await host.process(child.pid!))?.command !== "sleep 60") await setTimeout(10);
      child.stdin.end();
      await waitForState(host, Number(line.toString()), "zombie");
    });

    test("names who listens on a port, and nobody once it is closed", async (t) => {
      const server = createServer().listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const owners = await host.portOwners(port);
      assert.deepEqual(
        owners.map(({ address, pid }) => ({ address, pid })),
        [{ address: "127.0.0.1", pid: process.pid }],
      );
      assert.match(owners[0]?.command ?? "", /host|node/);
      server.close();
      await once(server, "close");
      assert.deepEqual(await host.portOwners(port), []);
    });
  });
}

function startSleep(t: TestContext): ChildProcess {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** Nothing tells us when a process changes state, so we look every 10 ms, 500 times. */
async function waitForState(host: Host, pid: number, state: ProcessFacts["state"]): Promise<ProcessFacts> {
  let facts: ProcessFacts | undefined;
  for (let look = 0; look < 500; look++) {
    facts = await host.process(pid);
    if (facts?.state === state) return facts;
    await setTimeout(10);
  }
  assert.fail(`process ${pid} is ${facts?.state ?? "gone"}, not ${state}`);
}
