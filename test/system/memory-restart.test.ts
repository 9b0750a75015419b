import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostFor } from "../../src/host/index.ts";
import { ActingOpenclaw } from "../helpers/acting-openclaw.ts";
import { TestCgroup, whyNoCgroups } from "../helpers/cgroup.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";
import { History, HistoryNode } from "../helpers/history-roles.ts";
import { ask } from "../helpers/http.ts";
import { incidents } from "../helpers/recorded.ts";

const MB = 1024 * 1024;

/** The processes take 150 to 220 MB, the gateway 200 MB at once, and then 4 MB a second. */
const LIMIT_BYTES = 480 * MB;

describe("supervisor.memoryRestart", { skip: process.env.CI ? false : whyNoCgroups() }, () => {
  test("restarts a gateway that is about to run out of memory: its clients are told, and nothing is killed", async () => {
    await using cgroup = new TestCgroup(LIMIT_BYTES);
    await using clawkit = await TestClawkit.create({
      gateway: { upstream: { type: "command", command: program("ends") } },
      supervisor: { memoryRestart: true },
    });
    const foreground = await clawkit.runForeground();
    cgroup.take(foreground.pid!);
    await clawkit.ready();
    // what was started before the limit was set is not under it
    await clawkit.control({ op: "restart", all: true });
    const [client] = await openClients(1, clawkit.url);
    const before = await clawkit.status();
    client!.socket.send("take memory slowly");
    const { code, reason } = await client!.ended;
    assert.deepEqual([code, reason], [1012, "gateway restarting, reconnect now"]);
    const after = await until(async () => {
      const status = await clawkit.status();
      return status.gateway.pid !== before.gateway.pid && status.state === "healthy" ? status : undefined;
    });
    assert.equal(after.gateway.lastExit?.reason, "asked by its operator");
    assert.deepEqual(await incidents(clawkit), []);
    const { stdout } = await clawkit.cli("logs", "--source", "supervisor");
    assert.match(
      stdout,
      /restarting the gateway: cgroup memory at 9\d % of its limit \(supervisor\.memoryRestart\)/,
    );
  });

  // an OpenClaw that restarts in its own process keeps its memory, and was killed a little later
  test("replaces the process of an OpenClaw", async () => {
    await using cgroup = new TestCgroup(LIMIT_BYTES);
    await using openclaw = await ActingOpenclaw.create();
    await using clawkit = await TestClawkit.create({
      gateway: { upstream: openclaw.upstream() },
      supervisor: { memoryRestart: true },
    });
    const foreground = await clawkit.runForeground();
    cgroup.take(foreground.pid!);
    await clawkit.ready();
    await clawkit.control({ op: "restart", all: true });
    const before = await clawkit.status();
    await ask(clawkit.port, "/take-memory");
    const after = await clawkit.untilStatus(
      ({ gateway, state }) => gateway.pid !== before.gateway.pid && state === "healthy",
      60_000,
    );
    assert.equal(after.gateway.lastExit?.reason, "asked by its operator");
    assert.ok(!(await openclaw.calls()).includes("gateway restart"));
  });
});

describe("a planned restart in a cgroup", { skip: process.env.CI ? false : whyNoCgroups() }, () => {
  test("prepares the next built-in gateway beside the one that runs where there is room for two, and else stops that first", async () => {
    await using cgroup = new TestCgroup(2_000 * MB);
    await using clawkit = await TestClawkit.create();
    const foreground = await clawkit.runForeground();
    cgroup.take(foreground.pid!);
    await clawkit.ready();
    await clawkit.control({ op: "restart", all: true });
    await using client = new HistoryNode(clawkit.url, new History());
    await client.hello();
    const isPrepared = async () => {
      const steps: string[] = [];
      await clawkit.control({ op: "restart", all: false }, (text) => steps.push(text));
      return steps.includes("preparing the next gateway");
    };
    assert.equal(await isPrepared(), true);
    const { usageBytes } = (await hostFor("linux").cgroupMemory(cgroup.path))!;
    cgroup.limit(usageBytes! + 120 * MB);
    assert.equal(await isPrepared(), false);
    client.check();
    assert.deepEqual(await incidents(clawkit), []);
  });
});
