import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import { errorCodes } from "../../src/core/errors.ts";
import { parseRunLog, type RunRecord } from "../../src/core/run-record.ts";
import { hostFor } from "../../src/host/index.ts";
import { freePort, program, TestClawkit, until } from "../helpers/clawkit.ts";
import { openClients, TestClient, tally } from "../helpers/clients.ts";
import { isAlive, isPortFree, needsProc, processesOf, untilGone } from "../helpers/processes.ts";
import { exits, json } from "../helpers/results.ts";

/** A gateway that starts fast: a plain echo server. */
const ECHO = { gateway: { upstream: { type: "command", command: program("echo") } } };

/** One that has to be killed, soon. */
const STUBBORN = {
  gateway: { upstream: { type: "command", command: program("echo", "--ignore-sigterm") } },
  supervisor: { stopGraceSec: 1 },
};

function withCommand(...command: string[]) {
  return { gateway: { upstream: { type: "command", command } } };
}

/** A command that never returns must fail its test, not stop the run. */
const GIVE_UP_MS = 240_000;

// Two groups run beside each other, and two tests in each: most of the time one of them waits.
describe("the supervisor", { concurrency: 2, timeout: GIVE_UP_MS }, () => {
  describe("start, stop, restart and status", { concurrency: 2 }, () => {
    test("start and stop repeat safely, and status tells by its exit code", async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      await exits(3, clawkit.cli("gateway", "status"));
      assert.match((await exits(0, clawkit.cli("gateway", "stop"))).stdout, /was not running/);

      const started = await exits(0, clawkit.cli("gateway", "start"));
      assert.match(started.stdout, new RegExp(`is running at ws://127\\.0\\.0\\.1:${clawkit.port} `));
      const first = await clawkit.status();
      await exits(0, clawkit.cli("gateway", "status"));
      assert.match((await exits(0, clawkit.cli("gateway", "start"))).stdout, /already running/);
      const second = await clawkit.status();
      assert.deepEqual(
        [second.supervisor.pid, second.gateway.pid],
        [first.supervisor.pid, first.gateway.pid],
      );

      assert.match((await exits(0, clawkit.cli("gateway", "stop"))).stdout, /is stopped/);
      await exits(3, clawkit.cli("gateway", "status"));
      await exits(0, clawkit.cli("gateway", "restart"));
      assert.equal((await clawkit.status()).state, "healthy", "restart with nothing running starts it");
    });

    test("status --json says what runs, and the same shape says that nothing does", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const clients = await openClients(2, clawkit.url);
      const first = await clawkit.status();
      process.kill(first.gateway.pid!, "SIGKILL");
      await Promise.all(clients.map((client) => client.ended));
      const [client] = await openClients(1, clawkit.url);

      const { supervisor, edge, gateway, ...rest } = json<Status>(
        await exits(0, clawkit.cli("gateway", "status", "--json")),
      );
      const { port, url } = clawkit;
      assert.deepEqual(rest, {
        state: "healthy",
        port,
        url,
        connections: 1,
        networkTimers: [],
        service: null,
      });
      assert.equal(supervisor.pid, first.supervisor.pid);
      assert.equal(edge.pid, first.edge.pid);
      assert.ok(await isAlive(gateway.pid!));
      assert.equal(gateway.state, "ready");
      assert.equal(gateway.generation, first.gateway.generation! + 1);
      const { at, ...lastExit } = gateway.lastExit!;
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
      assert.deepEqual(lastExit, {
        generation: first.gateway.generation,
        code: null,
        signal: "SIGKILL",
        reason: "killed by SIGKILL",
        lastLine: "echo server ready",
      });

      client!.socket.terminate();
      await exits(0, clawkit.cli("gateway", "stop"));
      const stopped = json<Status>(await exits(3, clawkit.cli("gateway", "status", "--json")));
      assert.equal(stopped.state, "stopped");
      assert.deepEqual([stopped.supervisor.pid, stopped.edge.pid, stopped.gateway.pid], [null, null, null]);
      assert.deepEqual(Object.keys(stopped.gateway).sort(), Object.keys(gateway).sort());
      assert.equal(stopped.port, clawkit.port);
    });

    test("they act on a foreground run as on a detached one", async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      const foreground = await clawkit.runForeground();
      const exit = once(foreground, "exit");
      await exits(0, clawkit.cli("gateway", "start"));
      const before = await clawkit.status();
      assert.equal(before.supervisor.pid, foreground.pid);

      await exits(0, clawkit.cli("gateway", "restart"));
      const after = await clawkit.status();
      assert.equal(after.supervisor.pid, foreground.pid);
      assert.notEqual(after.gateway.pid, before.gateway.pid);

      await exits(0, clawkit.cli("gateway", "stop"));
      assert.deepEqual(await exit, [0, null]);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      test(`${signal} ends a foreground run: clients are told 1012, it exits 0 and leaves nothing`, async () => {
        await using clawkit = await TestClawkit.create(ECHO);
        const foreground = await clawkit.runForeground();
        const exit = once(foreground, "exit");
        const { edge, gateway } = await clawkit.ready();
        const clients = await openClients(3, clawkit.url);
        foreground.kill(signal);
        const ends = await Promise.all(clients.map((client) => client.ended));
        assert.deepEqual(
          ends.map((end) => end.code),
          [1012, 1012, 1012],
          tally(ends),
        );
        assert.deepEqual(await exit, [0, null]);
        await untilGone([edge.pid!, gateway.pid!], 5_000);
        assert.ok(await isPortFree(clawkit.port));
      });
    }

    test("run --json prints its events, a line of JSON each, and nothing else", async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      const run = clawkit.spawnCli("gateway", "run", "--json");
      const exit = once(run, "exit");
      const lines = createInterface({ input: run.stdout! })[Symbol.asyncIterator]();
      const next = async () => {
        const { time, ...event } = JSON.parse((await lines.next()).value!);
        assert.ok(Math.abs(Date.parse(time) - Date.now()) < GIVE_UP_MS);
        return event;
      };
      const { port, url } = clawkit;
      assert.deepEqual(await next(), { event: "starting", pid: run.pid, port });
      const { pids, ...ready } = await next();
      assert.deepEqual(ready, { event: "ready", url, port, generation: 1 });
      assert.equal(pids.supervisor, run.pid);
      assert.deepEqual(pids, await pidsOf(clawkit));

      process.kill(pids.gateway!, "SIGKILL");
      assert.deepEqual(await next(), {
        event: "gateway-exit",
        generation: 1,
        code: null,
        signal: "SIGKILL",
        reason: "killed by SIGKILL",
        lastLine: "echo server ready",
        next: "restart",
      });
      const again = await next();
      assert.deepEqual([again.event, again.generation], ["ready", 2]);
      assert.deepEqual(again.pids, await pidsOf(clawkit));

      run.kill("SIGTERM");
      assert.deepEqual(await next(), {
        event: "stopping",
        reason: "gateway stopped (SIGTERM to its supervisor)",
      });
      const { event, generation, reason, next: then } = await next();
      assert.deepEqual(
        [event, generation, reason, then],
        ["gateway-exit", 2, "asked by its operator", "stopped"],
      );
      assert.deepEqual(await next(), { event: "stopped" });
      assert.equal((await lines.next()).done, true);
      assert.deepEqual(await exit, [0, null]);
    });

    test("run --json tells why it cannot start in a line, too", async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      await clawkit.runForeground();
      const { code, stdout } = await clawkit.cli("gateway", "run", "--json");
      assert.equal(code, errorCodes.ALREADY_RUNNING.exit);
      const { time: _, message, ...failed } = JSON.parse(stdout);
      assert.deepEqual(failed, { event: "failed", code: "ALREADY_RUNNING" });
      assert.match(message, /belongs to a running supervisor/);
      assert.equal(stdout.trim().split("\n").length, 1);
    });

    test("restart keeps the edge, restart --all changes it too, and clients are told 1012 each time", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const first = await clawkit.status();

      const clients = await openClients(5, clawkit.url);
      await exits(0, clawkit.cli("gateway", "restart"));
      const second = await clawkit.status();
      const ends = await Promise.all(clients.map((client) => client.ended));
      assert.equal(tally(ends), "5 × 1012 gateway restarting, reconnect now");
      assert.deepEqual([second.supervisor.pid, second.edge.pid], [first.supervisor.pid, first.edge.pid]);
      assert.notEqual(second.gateway.pid, first.gateway.pid);

      const others = await openClients(5, clawkit.url);
      await exits(0, clawkit.cli("gateway", "restart", "--all"));
      const third = await clawkit.status();
      const otherEnds = await Promise.all(others.map((client) => client.ended));
      assert.equal(tally(otherEnds), "5 × 1012 gateway restarting, reconnect now");
      assert.equal(third.supervisor.pid, second.supervisor.pid);
      assert.notEqual(third.edge.pid, second.edge.pid);
      assert.notEqual(third.gateway.pid, second.gateway.pid);
      const [client] = await openClients(1, clawkit.url);
      assert.equal(await client!.echo("served"), "served");
      client!.socket.terminate();
    });

    test("restart replaces an edge that does not answer; status tells until then", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const before = await clawkit.status();
      process.kill(before.edge.pid!, "SIGSTOP");
      const sick = await exits(1, clawkit.cli("gateway", "status"));
      assert.match(sick.stdout, /unhealthy: the edge does not answer/);
      await exits(0, clawkit.cli("gateway", "restart"));
      const after = await clawkit.status();
      assert.equal(after.state, "healthy");
      assert.notEqual(after.edge.pid, before.edge.pid);
    });

    test("stop tells the clients, leaves no process and a free port", { skip: needsProc }, async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const clients = await openClients(20, clawkit.url);
      await exits(0, clawkit.cli("gateway", "stop"));
      const ends = await Promise.all(clients.map((client) => client.ended));
      assert.equal(tally(ends), "20 × 1012 gateway stopped by its operator");
      assert.deepEqual(await processesOf(clawkit.stateDir), []);
      assert.ok(await isPortFree(clawkit.port));
    });

    test("a command that ignores SIGTERM is killed after stopGraceSec", { skip: needsProc }, async () => {
      await using clawkit = await TestClawkit.run(STUBBORN);
      const startedAt = performance.now();
      await exits(0, clawkit.cli("gateway", "stop"));
      assert.ok(performance.now() - startedAt > 1_000, "it had no time to act on SIGTERM");
      assert.deepEqual(await processesOf(clawkit.stateDir), []);
      const end = endOf(await recordsOf(clawkit), "gateway")!;
      assert.deepEqual(end.end, { code: null, signal: "SIGKILL", by: "operator" });
      assert.deepEqual(end.lastLines, ["echo server ready", "SIGTERM ignored"]);
    });

    test("a stop in the middle of a restart wins: nothing is started after it", {
      skip: needsProc,
    }, async () => {
      await using clawkit = await TestClawkit.run(STUBBORN);
      const restart = clawkit.control({ op: "restart", all: false }).catch(() => undefined);
      await untilLogged(clawkit, "gateway", /SIGTERM ignored/);
      const { supervisor } = (await clawkit.control({ op: "stop" }))!;
      await restart;
      await untilGone([supervisor.pid!]);
      // the supervisor is gone, so whatever is left now stays
      assert.deepEqual(await processesOf(clawkit.stateDir), []);
    });

    test("two restarts at once end with one healthy gateway", { skip: needsProc }, async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const restart = () => clawkit.control({ op: "restart", all: false });
      await Promise.all([restart(), restart()]);
      assert.equal((await clawkit.status()).state, "healthy");
      const gateways = (await processesOf(clawkit.stateDir)).filter(({ command }) =>
        command.includes("echo.ts"),
      );
      assert.equal(gateways.length, 1, JSON.stringify(gateways));
    });

    test("status does not wait for ever for a supervisor that is stopped", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const { supervisor } = await clawkit.status();
      process.kill(supervisor.pid!, "SIGSTOP");
      const status = clawkit.cli("gateway", "status");
      const deadline = setTimeout(() => process.kill(supervisor.pid!, "SIGCONT"), 15_000);
      const result = await status;
      clearTimeout(deadline);
      process.kill(supervisor.pid!, "SIGCONT");
      assert.equal(result.code, 1, `it answered only when the supervisor went on:\n${result.stdout}`);
    });
  });

  describe("one supervisor per state directory", { concurrency: 2 }, () => {
    test("a second one is refused, and names the one that runs", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const { supervisor } = await clawkit.status();
      const second = await exits(1, clawkit.cli("gateway", "run"));
      assert.match(second.stderr, new RegExp(`pid ${supervisor.pid}\\b`));
      const after = await clawkit.status();
      assert.deepEqual([after.state, after.supervisor.pid], ["healthy", supervisor.pid]);
    });

    test("two starts at once: one supervisor, and both say that it runs", { skip: needsProc }, async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      const start = () => exits(0, clawkit.cli("gateway", "start"));
      const results = await Promise.allSettled([start(), start()]);
      const supervisors = (await processesOf(clawkit.stateDir)).filter(({ command }) =>
        command.startsWith("clawkit supervisor"),
      );
      assert.equal(supervisors.length, 1, JSON.stringify(supervisors));
      for (const result of results) if (result.status === "rejected") throw result.reason;
    });

    test("a stale lock is taken over: its pid is another process's, it is half written", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const { lock } = statePaths(clawkit.stateDir);
      const owner = JSON.parse(await readFile(lock, "utf8")) as { pid: number; startTime: string };
      await clawkit.control({ op: "stop" });
      await untilGone([owner.pid]);
      const stale = {
        "its pid is another process's": JSON.stringify({ ...owner, pid: process.pid }),
        "half written": JSON.stringify(owner).slice(0, 20),
      };
      for (const [what, text] of Object.entries(stale)) {
        await writeFile(lock, text);
        const foreground = await clawkit.runForeground();
        const exit = once(foreground, "exit");
        const taken = JSON.parse(await readFile(lock, "utf8")) as { pid: number };
        assert.equal(taken.pid, foreground.pid, what);
        await clawkit.control({ op: "stop" });
        await exit;
      }
    });
  });

  describe("a port that belongs to another program", { concurrency: 2 }, () => {
    test("start exits 4 naming the program, leaves it alone and nothing of ours behind", async () => {
      await using clawkit = await TestClawkit.create(ECHO);
      await using foreign = await holdPort(clawkit.port);
      const started = await exits(4, clawkit.cli("gateway", "start"));
      assert.match(
        started.stderr,
        new RegExp(`port ${clawkit.port} is in use: held by pid ${process.pid} \\(.*node.*\\)`),
      );
      assert.deepEqual(await processesOf(clawkit.stateDir), []);

      const status = json<Status>(await exits(4, clawkit.cli("gateway", "status", "--json")));
      assert.equal(status.state, "foreign");
      assert.equal(status.portOwner?.pid, process.pid);
      assert.match(status.portOwner?.command ?? "", /node/);
      await exits(0, clawkit.cli("gateway", "stop"));
      assert.ok(await foreign.isUntouched());
    });

    test("restart --all onto a taken port fails, and what runs goes on", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const before = await clawkit.status();
      const taken = await freePort();
      await using foreign = await holdPort(taken);
      await clawkit.writeConfig({ gateway: { ...ECHO.gateway, port: taken } });
      const failed = await exits(4, clawkit.cli("gateway", "restart", "--all"));
      assert.match(failed.stderr, new RegExp(`port ${taken} is in use`));
      const after = await clawkit.status();
      assert.deepEqual([after.state, after.port], ["healthy", before.port]);
      assert.ok(await foreign.isUntouched());
    });
  });

  describe("a gateway that does not come up", { concurrency: 2 }, () => {
    test("exit 78 is a refusal: start fails with its last line, and it is tried again when the config changes", async () => {
      const refusing = withCommand(
        ...program("exit-with", "78", "reading the config", "no model is configured"),
      );
      await using clawkit = await TestClawkit.create(refusing);
      const started = await exits(78, clawkit.cli("gateway", "start"));
      assert.match(
        started.stderr,
        /refused to start \(exit code 78\); its last line: no model is configured/,
      );
      const status = await exits(1, clawkit.cli("gateway", "status"));
      assert.match(status.stdout, /refused to start: no model is configured/);
      await exits(78, clawkit.cli("gateway", "start"));
      assert.equal((await clawkit.status()).gateway.generation, 1, "it was tried again without a change");

      await clawkit.writeConfig(ECHO);
      const healthy = await clawkit.untilStatus(({ state }) => state === "healthy");
      assert.equal(healthy.gateway.generation, 2);
    });

    test("a crash loop slows down but goes on, and start reports the failure with the last line", async () => {
      await using clawkit = await TestClawkit.create(
        withCommand(...program("exit-with", "3", "out of luck")),
      );
      const started = await exits(1, clawkit.cli("gateway", "start"));
      assert.match(started.stderr, /ended 3 times .*exited with code 3; its last line: out of luck/);
      await exits(1, clawkit.cli("gateway", "status"));

      const delays = await until(async () => {
        const found = restartDelays(await logText(clawkit, "supervisor"));
        return found.filter((ms) => ms >= 800).length >= 2 ? found : undefined;
      });
      assert.deepEqual(
        delays.slice(0, 5).map((ms) => ms < 200),
        [true, true, true, true, true],
        `delays: ${delays}`,
      );
      const [first, second] = delays.filter((ms) => ms >= 800);
      assert.ok(second! > first!, `delays do not grow: ${delays}`);
      const { gateway } = await clawkit.status();
      await clawkit.untilStatus((status) => status.gateway.generation! > gateway.generation!);
    });

    test("after a crash loop a restart with a mended config succeeds", async () => {
      await using clawkit = await TestClawkit.create(
        withCommand(...program("exit-with", "1", "no such table")),
      );
      await exits(1, clawkit.cli("gateway", "start"));
      await clawkit.writeConfig(ECHO);
      await exits(0, clawkit.cli("gateway", "restart"));
      assert.equal((await clawkit.status()).state, "healthy");
    });

    test("a program that does not exist: start says so", async () => {
      await using clawkit = await TestClawkit.create(withCommand("/no/such/program"));
      const started = await exits(1, clawkit.cli("gateway", "start"));
      assert.match(started.stderr, /could not be started: spawn \/no\/such\/program ENOENT/);
    });
  });

  describe("the run log", { concurrency: 2 }, () => {
    test("has start, ready and end of every process, with signal and last lines", async () => {
      await using clawkit = await TestClawkit.run(withCommand(...program("printer")));
      const [client] = await openClients(1, clawkit.url);
      const before = await clawkit.status();
      await client!.echo("print 1 120 20");
      process.kill(before.gateway.pid!, "SIGKILL");
      await client!.ended;
      await clawkit.ready();
      await exits(0, clawkit.cli("gateway", "stop"));

      const records = await recordsOf(clawkit);
      const bootId = await hostFor(process.platform).bootId();
      assert.ok(records.every((record) => record.bootId === bootId && !Number.isNaN(Date.parse(record.at))));
      const story = records.map(({ role, generation, event }) => `${role} ${generation} ${event}`);
      const of = (role: string) => story.filter((line) => line.startsWith(role));
      assert.deepEqual(of("supervisor"), ["supervisor 0 start", "supervisor 0 end"]);
      assert.deepEqual(of("edge"), ["edge 1 start", "edge 1 ready", "edge 1 end"]);
      const life = (generation: number) => of(`gateway ${generation}`).map((line) => line.split(" ")[2]);
      assert.deepEqual(life(1), ["start", "ready", "end", "cause"]);
      assert.deepEqual(life(2), ["start", "ready", "end"]);

      const killed = endOf(records, "gateway", 1)!;
      assert.deepEqual(killed.end, { code: null, signal: "SIGKILL", by: "itself" });
      assert.equal(killed.lastLines.length, 50);
      assert.deepEqual(
        [killed.lastLines[0], killed.lastLines[49]].map((line) => line?.replaceAll(".", "").trim()),
        ["line 71", "line 120"],
      );
    });
  });

  describe("what a killed supervisor leaves behind", { concurrency: 2, skip: needsProc }, () => {
    test("a command that ignores SIGTERM is ended by the next start", async () => {
      await using clawkit = await TestClawkit.run(STUBBORN);
      const before = await clawkit.status();
      process.kill(before.supervisor.pid!, "SIGKILL");
      process.kill(before.edge.pid!, "SIGKILL");
      await untilGone([before.supervisor.pid!, before.edge.pid!]);
      assert.ok(await isAlive(before.gateway.pid!), "nothing was left behind");

      await exits(0, clawkit.cli("gateway", "start"));
      assert.equal(await isAlive(before.gateway.pid!), false);
      const [client] = await openClients(1, clawkit.url);
      assert.equal(await client!.echo("served"), "served");
      client!.socket.terminate();
    });

    test("what a killed gateway's wrapper had started is ended by the next start too", async (t) => {
      await using clawkit = await TestClawkit.run(withCommand(...program("family")));
      const before = await clawkit.status();
      const grandchild = await grandchildOf(clawkit);
      t.after(async () => {
        if (await isAlive(grandchild)) process.kill(grandchild, "SIGKILL");
      });
      for (const { pid } of [before.supervisor, before.edge, before.gateway]) process.kill(pid!, "SIGKILL");
      await exits(0, clawkit.cli("gateway", "start"));
      assert.equal(await isAlive(grandchild), false, "the server of the killed wrapper is still there");
    });

    test("a SIGTERM while leftovers are being ended is a stop like any other", async () => {
      await using clawkit = await TestClawkit.run(STUBBORN);
      const before = await clawkit.status();
      process.kill(before.supervisor.pid!, "SIGKILL");
      process.kill(before.edge.pid!, "SIGKILL");
      await untilGone([before.supervisor.pid!, before.edge.pid!]);

      const foreground = clawkit.spawnCli("gateway", "run");
      const exit = once(foreground, "exit");
      let output = "";
      for (const stream of [foreground.stdout!, foreground.stderr!])
        stream.on("data", (text) => (output += text));
      await until(() => output.includes("ending a leftover") || undefined);
      foreground.kill("SIGTERM");
      assert.deepEqual(await exit, [0, null], output);
    });
  });

  describe("a gateway with children of its own", { concurrency: 2, skip: needsProc }, () => {
    test("they die with it, and with a stop", async () => {
      await using clawkit = await TestClawkit.run({
        ...withCommand(...program("family", "--ignore-sigterm")),
        supervisor: { stopGraceSec: 1 },
      });
      const first = await grandchildOf(clawkit);
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      await untilGone([first]);
      await clawkit.untilStatus(({ state, gateway }) => state === "healthy" && gateway.generation === 2);
      await exits(0, clawkit.cli("gateway", "stop"));
      assert.deepEqual(await processesOf(clawkit.stateDir), []);
    });
  });

  describe("a config that breaks while the gateway runs", { concurrency: 2 }, () => {
    const broken: { name: string; text: string; told: RegExp; args: string[] }[] = [
      {
        name: "an unknown key",
        text: '{\n  gateway: {\n    upstreem: { type: "builtin" },\n  },\n}\n',
        told: /config\.json5:3: unknown key gateway\.upstreem: did you mean upstream\?/,
        args: [],
      },
      {
        name: "a wrong type",
        text: '{\n  gateway: {\n    port: "many",\n  },\n}\n',
        told: /config\.json5:3: gateway\.port must be a whole number from 1 to 65535, not "many"/,
        args: ["--all"],
      },
      {
        name: "text that is no JSON5",
        text: "{\n  gateway: {\n    port 1,\n",
        told: /config\.json5:3 is not JSON5/,
        args: [],
      },
    ];
    test("restart says where, and what runs goes on", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const [client] = await openClients(1, clawkit.url);
      const before = await clawkit.status();
      for (const { name, text, told, args } of broken) {
        await writeFile(clawkit.configPath, text);
        const failed = await exits(78, clawkit.cli("gateway", "restart", ...args));
        assert.match(failed.stderr, told, name);
        assert.equal(await readFile(clawkit.configPath, "utf8"), text);
      }
      assert.equal((await clawkit.status()).gateway.pid, before.gateway.pid);
      assert.equal(await client!.echo("still here"), "still here");
      client!.socket.terminate();
    });

    // A deleted file counted as an empty one, and the built-in gateway restarted with a token that is in our source.
    test("a deleted file: restart fails and names it, and what runs goes on", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const before = await clawkit.status();
      await rm(clawkit.configPath);
      const failed = await exits(78, clawkit.cli("gateway", "restart"));
      assert.match(failed.stderr, new RegExp(clawkit.configPath));
      const after = await clawkit.status();
      assert.deepEqual([after.gateway.pid, after.port], [before.gateway.pid, before.port]);
    });

    test("a new port takes effect with restart --all; a plain restart keeps telling the one that serves", async () => {
      await using clawkit = await TestClawkit.run(ECHO);
      const before = await clawkit.status();
      const port = await freePort();
      await clawkit.writeConfig({ gateway: { ...ECHO.gateway, port } });
      await exits(0, clawkit.cli("gateway", "restart"));
      assert.equal((await clawkit.status()).port, before.port, "status names a port where nobody listens");
      await exits(0, clawkit.cli("gateway", "restart", "--all"));
      assert.equal((await clawkit.status()).port, port);
      const client = new TestClient(`ws://127.0.0.1:${port}`);
      await client.opened;
      assert.equal(await client.echo("moved"), "moved");
      client.socket.terminate();
    });
  });
});

async function recordsOf(clawkit: TestClawkit): Promise<RunRecord[]> {
  return parseRunLog(await clawkit.runLog());
}

/** As `gateway run --json` tells them. */
async function pidsOf(clawkit: TestClawkit) {
  const { supervisor, edge, gateway } = await clawkit.status();
  return { supervisor: supervisor.pid, edge: edge.pid, gateway: gateway.pid };
}

function endOf(records: readonly RunRecord[], role: string, generation?: number) {
  return records.find(
    (record): record is Extract<RunRecord, { event: "end" }> =>
      record.event === "end" &&
      record.role === role &&
      (generation === undefined || record.generation === generation),
  );
}

function logText(clawkit: TestClawkit, source: "gateway" | "edge" | "supervisor"): Promise<string> {
  return readFile(`${statePaths(clawkit.stateDir).logsDir}/${source}.log`, "utf8").catch(() => "");
}

async function untilLogged(
  clawkit: TestClawkit,
  source: "gateway" | "supervisor",
  line: RegExp,
): Promise<string> {
  return await until(async () => line.exec(await logText(clawkit, source))?.[0]);
}

/** The delays that the supervisor announced, in order; the first restart is immediate. */
function restartDelays(log: string): number[] {
  return [...log.matchAll(/gateway ended: .*; starting it again(?: in (\d+) ms)?/g)].map(([, ms]) =>
    Number(ms ?? 0),
  );
}

/** The pid of the server that `family.ts` started last. */
async function grandchildOf(clawkit: TestClawkit): Promise<number> {
  return await until(async () => {
    const pids = [...(await logText(clawkit, "gateway")).matchAll(/ out child (\d+)/g)];
    return pids.length === 0 ? undefined : Number(pids.at(-1)![1]);
  });
}

/** This test's process as the foreign program: it listens on the port, with a client of its own connected. */
async function holdPort(port: number) {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(port, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect(port, "127.0.0.1");
  await once(client, "connect");
  return {
    /** Whether the connection made before everything is still served. */
    async isUntouched(): Promise<boolean> {
      client.write("x");
      const [answer] = (await once(client, "data")) as [Buffer];
      return answer.toString() === "x" && server.listening;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
