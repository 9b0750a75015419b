import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { CommandLine } from "../helpers/command-line.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { exits, json } from "../helpers/results.ts";

const ECHO = { gateway: { upstream: { type: "command", command: program("echo") } } };

describe("the page's first steps as commands, and drills", { concurrency: 2, timeout: 120_000 }, () => {
  test("ps: exit 0 and a line exactly when a gateway lives", async () => {
    await using clawkit = await TestClawkit.run({});
    const { gateway } = await clawkit.status();
    const { alive, processes } = json<{
      alive: boolean;
      processes: { pid: number; owner: string; isGateway: boolean }[];
    }>(await exits(0, clawkit.cli("ps", "--json")));
    assert.equal(alive, true);
    const ours = processes.filter((one) => one.isGateway && one.owner === "ours").map(({ pid }) => pid);
    assert.deepEqual(ours, [gateway.pid]);
    assert.match((await exits(0, clawkit.cli("ps"))).stdout, /^A gateway process is running$/m);
  });

  test("port: who listens, and who is connected", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const client = new TestClient(clawkit.url);
    await client.opened;
    const { edge } = await clawkit.status();
    const { taken, users } = json<{ taken: boolean; users: { role: string; pid: number; owner: string }[] }>(
      await exits(0, clawkit.cli("port", "--json")),
    );
    assert.equal(taken, true);
    assert.ok(
      users.some(({ role, pid, owner }) => role === "listener" && pid === edge.pid && owner === "ours"),
    );
    assert.ok(users.some(({ role, pid }) => role === "client" && pid === process.pid));
    client.socket.close();
  });

  test("port: a foreign program is called foreign, a free port free", async () => {
    await using line = await CommandLine.create();
    const server = createServer().listen(line.port, "127.0.0.1");
    await once(server, "listening");
    const { users } = json<{ users: { pid: number; owner: string }[] }>(
      await exits(0, line.clawkit("port", String(line.port), "--json")),
    );
    assert.deepEqual(
      users.map(({ pid, owner }) => ({ pid, owner })),
      [{ pid: process.pid, owner: "foreign" }],
    );
    server.close();
    await once(server, "close");
    assert.match((await exits(1, line.clawkit("port", String(line.port)))).stdout, /is free/);
    assert.match((await exits(2, line.clawkit("port", "0"))).stderr, /from 1 to 65535/);
  });

  test("drill: says first what will happen, and does nothing without a yes", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const { gateway } = await clawkit.status();
    const { stdout, stderr } = await exits(2, clawkit.cli("drill", "gateway-killed"));
    assert.match(stdout, /^What will happen: the gateway is killed \(SIGKILL\)/);
    assert.match(stderr, /Nothing was done/);
    // it had a question of its own: with --json a line of text came, and no JSON
    const refused = json<{ error: { message: string } }>(
      await exits(2, clawkit.cli("drill", "gateway-killed", "--json")),
    );
    assert.match(refused.error.message, /Nothing was done.*--yes/);
    assert.equal((await clawkit.status()).gateway.pid, gateway.pid);
  });

  test("drill: the client is told 1012, the gateway comes back, and why it went is on record", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const client = new TestClient(clawkit.url);
    await client.opened;
    const result = json<{ back: boolean }>(
      await exits(0, clawkit.cli("drill", "gateway-killed", "--yes", "--json")),
    );
    assert.equal(result.back, true);
    assert.equal((await client.ended).code, 1012);
  });

  test("drill: only on a gateway of ours that is well, and only what there is", async () => {
    await using line = await CommandLine.create();
    assert.match((await exits(3, line.clawkit("drill", "gateway-killed", "--yes"))).stderr, /is stopped/);
    assert.match((await exits(2, line.clawkit("drill", "fire"))).stderr, /there are gateway-killed/);
    assert.match((await exits(0, line.clawkit("drill"))).stdout, /^gateway-killed /);
  });

  test("playbook: the page; --run says what of it is about this machine; an unknown one is an error", async () => {
    await using line = await CommandLine.create();
    const { stdout } = await exits(0, line.clawkit("playbook", "1006"));
    assert.match(stdout, /^# Gateway Closed \(1006\) Playbook$/m);
    assert.match(stdout, /^ {4}lsof -ti :18789 \| xargs kill -9$/m);
    const run = await exits(0, line.clawkit("playbook", "1006", "--run"));
    assert.match(run.stdout, /^## 1-Minute Recovery Sequence {2}← not-listening, likely$/m);
    assert.match(run.stdout, /→ nothing listens on port/);
    const unknown = await exits(2, line.clawkit("playbook", "1234"));
    assert.match(unknown.stderr, /There is no playbook for 1234: there are 1001, .*1006, .*4001/);
    await exits(0, line.clawkit("playbook", "--answer", "yes"));
    await exits(2, line.clawkit("playbook", "--answer", "perhaps"));
  });

  test("playbook: all of them are listed, and each is read beside what is found here", async () => {
    await using line = await CommandLine.create();
    const { stdout } = await exits(0, line.clawkit("playbook"));
    const codes = [...stdout.matchAll(/^(\d{4}) {2}.+ \(\1\) Playbook$/gm)].map((match) => match[1]!);
    assert.deepEqual(codes, "1001 1002 1006 1008 1009 1011 1012 1013 4000 4001".split(" "));
    for (const code of codes) {
      const run = await exits(0, line.clawkit("playbook", code, "--run"));
      assert.match(run.stdout, /^Here: /);
      assert.match(run.stdout, new RegExp(`^# .+ \\(${code}\\) Playbook$`, "m"));
      assert.match(run.stdout, /^ {6}→ /m, `${code}: no step is answered`);
    }
  });

  test("playbook: what single clients have is said while the gateway serves all others", async () => {
    await using clawkit = await TestClawkit.run();
    using stranger = new RawGatewayClient(clawkit.url);
    await stranger.connect({ auth: { token: "a wrong one" } });
    assert.equal((await stranger.ended).code, 1008);
    using late = new RawGatewayClient(clawkit.url);
    await late.connect({ minProtocol: 99, maxProtocol: 99 });
    assert.equal((await late.ended).code, 1002);
    using talker = new RawGatewayClient(clawkit.url);
    await talker.challenge();
    talker.send("x".repeat(70 * 1024));
    assert.equal((await talker.ended).code, 1009);
    await until(async () => {
      const rows = json<object[]>(await exits(0, clawkit.cli("connections", "--closed", "--json")));
      return rows.length === 3 || undefined;
    });

    for (const [code, heading, cause] of [
      ["1008", "Root Cause 1: Wrong or Missing Token or Password", "pairing-or-auth-rejected"],
      ["1002", "Root Cause 1: Client and Gateway Have Different Versions", "protocol-mismatch"],
      ["1009", "Root Cause 1: An Attachment Is Over the Limit", "payload-too-large"],
    ] as const) {
      const { stdout } = await exits(0, clawkit.cli("playbook", code, "--run"));
      assert.ok(stdout.includes(`## ${heading}  ← ${cause}, likely`), stdout);
      assert.match(stdout, new RegExp(`→ 1 connections ended as ${cause} .* by the gateway with ${code}\\b`));
    }
  });

  test("playbook: why the gateway was away, once it serves again", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    await exits(0, clawkit.cli("drill", "gateway-killed", "--yes"));
    const { stdout } = await exits(0, clawkit.cli("playbook", "1012", "--run"));
    assert.match(stdout, /^Here: Healthy: /);
    assert.match(stdout, /^## Root Cause 2: The Gateway Died {2}← killed-by-signal, (confirmed|likely)$/m);
    assert.match(stdout, /^## Root Cause 5: .* \(not here: the gateway is served now\)$/m);
  });
});
