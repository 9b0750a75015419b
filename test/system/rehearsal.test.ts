import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { program, TestClawkit } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { CommandLine } from "../helpers/command-line.ts";
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
    const { stdout } = await exits(0, line.clawkit("playbook"));
    assert.match(stdout, /^# Gateway Closed \(1006\) Playbook$/m);
    assert.match(stdout, /^ {4}lsof -ti :18789 \| xargs kill -9$/m);
    const run = await exits(0, line.clawkit("playbook", "1006", "--run"));
    assert.match(run.stdout, /^## 1-Minute Recovery Sequence {2}← not-listening, likely$/m);
    assert.match(run.stdout, /→ nothing listens on port/);
    assert.match((await exits(2, line.clawkit("playbook", "1234"))).stderr, /There is no playbook for 1234/);
    await exits(0, line.clawkit("playbook", "--answer", "yes"));
    await exits(2, line.clawkit("playbook", "--answer", "perhaps"));
  });
});
