import assert from "node:assert/strict";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ActingOpenclaw } from "../helpers/acting-openclaw.ts";
import { ROOT, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { ask } from "../helpers/http.ts";
import { exits } from "../helpers/results.ts";

// How an OpenClaw is kept up, tried with a stand-in that does at once what the real one does after minutes.

const CLAWKIT = join(ROOT, "src/bin/clawkit.ts");

/** Far below the 330 s that OpenClaw is given for its work. */
const SOON_MS = 30_000;

async function running(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
  supervisor: object = {},
) {
  const openclaw = await ActingOpenclaw.create(files);
  const clawkit = await TestClawkit.create({ gateway: { upstream: openclaw.upstream() }, supervisor });
  t.after(async () => {
    await clawkit[Symbol.asyncDispose]();
    await openclaw[Symbol.asyncDispose]();
  });
  await clawkit.runForeground();
  return { clawkit, openclaw };
}

describe("an OpenClaw behind the edge", { concurrency: 2, timeout: 4 * SOON_MS }, () => {
  // /readyz looks at the channels too: with a revoked bot token it answers 503 for ever, and nobody was let in, and a
  // gateway that worked was restarted every five minutes (OpenClaw's docs/gateway/health.md: /startupz ignores channels)
  test("serves its clients while one of its channels is down", async (t) => {
    const { clawkit } = await running(t, { "channel-down": "" }, { startTimeoutSec: 10 });
    assert.equal((await clawkit.ready()).state, "healthy");
    assert.equal((await ask(clawkit.port, "/readyz")).status, 503);
  });

  test("restarts in its own process, also if that is over before its command line is", async (t) => {
    const { clawkit, openclaw } = await running(t, { slow: "" });
    const before = await clawkit.ready();
    const { code, stderr } = await clawkit.cli("gateway", "restart");
    assert.equal(code, 0, stderr);
    const after = await clawkit.status();
    assert.deepEqual([after.state, after.gateway.pid], ["healthy", before.gateway.pid]);
    assert.deepEqual(await openclaw.calls(), ["gateway run", "gateway restart"]);
  });

  test("that ends to restart is started once, not twice", async (t) => {
    const { clawkit, openclaw } = await running(t, { restart: "exit" });
    const before = await clawkit.ready();
    assert.equal((await clawkit.cli("gateway", "restart")).code, 0);
    const after = await clawkit.status();
    assert.equal(after.gateway.generation, before.gateway.generation! + 1);
    const calls = await until(async () => {
      const all = await openclaw.calls();
      return all.includes("gateway restart-handoff") ? all : undefined;
    });
    assert.equal(calls.filter((call) => call === "gateway run").length, 2);
  });

  test("a stop does not wait for a restart that is under way, and nothing is started behind it", async (t) => {
    const { clawkit, openclaw } = await running(t, { restart: "never" });
    await clawkit.ready();
    const restarted = clawkit.cli("gateway", "restart");
    await until(async () => (await openclaw.calls()).includes("gateway restart") || undefined);
    const startedAt = performance.now();
    assert.equal((await clawkit.cli("gateway", "stop")).code, 0);
    assert.ok(performance.now() - startedAt < SOON_MS);
    assert.notEqual((await restarted).code, 0);
    assert.deepEqual(await openclaw.calls(), ["gateway run", "gateway restart"]);
  });

  // 330 s each: before a hang was ended, and before anybody could stop it
  test("that hangs is killed soon after it was told to end, not after the time its work may take", async (t) => {
    const { clawkit } = await running(t, {}, { hangRestartSec: 10 });
    const before = await clawkit.ready();
    ask(clawkit.port, "/block").catch(() => undefined);
    const after = await clawkit.untilStatus(
      ({ gateway, state }) => gateway.generation !== before.gateway.generation && state === "healthy",
      3 * SOON_MS,
    );
    assert.match(after.gateway.lastExit!.reason, /hung/);
  });

  test("that hangs can be stopped soon, too", async (t) => {
    const { clawkit } = await running(t);
    await clawkit.ready();
    ask(clawkit.port, "/block").catch(() => undefined);
    await clawkit.untilStatus(({ gateway }) => gateway.state === "hung");
    const startedAt = performance.now();
    await exits(0, clawkit.cli("gateway", "stop"));
    assert.ok(performance.now() - startedAt < 2 * SOON_MS);
  });

  test("is not stopped for a restart that cannot start it: its command is gone for a moment", async (t) => {
    const openclaw = await ActingOpenclaw.create();
    const clawkit = await TestClawkit.create({ gateway: { upstream: { type: "openclaw" } } });
    t.after(async () => {
      await clawkit[Symbol.asyncDispose]();
      await openclaw[Symbol.asyncDispose]();
    });
    const command = join(openclaw.folder, "openclaw");
    await writeFile(
      command,
      `#!/bin/sh\nexec ${openclaw.command.map((word) => `"${word}"`).join(" ")} "$@"\n`,
    );
    await chmod(command, 0o755);
    const PATH = `${openclaw.folder}:${process.env.PATH}`;
    await exits(0, clawkit.spawnAndWait(process.execPath, [CLAWKIT, "gateway", "start"], { PATH }));
    const before = await clawkit.ready();
    await rm(command);
    await clawkit.writeConfig({ gateway: { upstream: { type: "openclaw" }, hold: { maxSec: 5 } } });
    for (const all of [false, true]) {
      await assert.rejects(clawkit.control({ op: "restart", all }), { code: "OPENCLAW_NOT_FOUND" });
      assert.equal((await clawkit.status()).gateway.pid, before.gateway.pid);
    }
  });

  for (const [name, end, expected] of [
    ["that is killed: its clients are told when it is back", kill, { restartExpectedMs: 10_000 }],
    ["that refuses to go on: its clients are told of no restart", refuse, {}],
  ] as const) {
    test(name, async (t) => {
      const { clawkit } = await running(t);
      const { gateway } = await clawkit.ready();
      const client = new TestClient(clawkit.url);
      const messages: unknown[] = [];
      client.socket.on("message", (data) => messages.push(JSON.parse(String(data))));
      await client.next();
      await client.echo('{"type":"req","id":"1","method":"connect","params":{}}');
      end(gateway.pid!, clawkit);
      const { code, reason } = await client.ended;
      assert.equal(code, 1012);
      const payload = { reason, ...expected };
      assert.deepEqual(messages.at(-1), { type: "event", event: "shutdown", payload });
    });
  }
});

function kill(pid: number): void {
  process.kill(pid, "SIGKILL");
}

function refuse(_pid: number, { port }: TestClawkit): void {
  ask(port, "/exit-78").catch(() => undefined);
}
