import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import type * as Contract from "../../src/control/contract.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { codeOf, get, post, type Signed, signIn, type WayIn } from "../helpers/console.ts";
import { FakeEngine } from "../helpers/fake-engine.ts";
import { needsProc } from "../helpers/processes.ts";

/** Every line of playbook 1006 that can be run on Linux is run in each of these situations. */
const RUNNABLE = [
  "clawkit harden",
  "ps aux | grep openclaw",
  "lsof -i :18789",
  "openclaw gateway restart",
  "openclaw gateway status",
  'ps aux | grep "openclaw gateway" | grep -v grep',
  "openclaw logs --follow",
  "openclaw gateway stop",
  "openclaw gateway start",
  "docker ps -a | grep openclaw",
  "docker logs openclaw-gateway --tail 50",
  "docker inspect --format='{{.State.Health.Status}}' openclaw-gateway",
  "openclaw doctor",
] as const;

type Command = (typeof RUNNABLE)[number];

/** What each means there; of those that change something, what they would do. */
type Expected = Readonly<Record<Command, RegExp>>;

/** Somebody who looks at the page in the console. */
interface Reader {
  readonly port: number;
  readonly signed: Signed;
}

async function readerOf(wayIn: WayIn): Promise<Reader> {
  const port = Number(new URL(wayIn.url).port);
  return { port, signed: (await signIn(port, { code: codeOf(wayIn) })).headers };
}

/** The console of the edge. */
async function throughEdge(clawkit: TestClawkit): Promise<Reader> {
  return await readerOf(JSON.parse((await clawkit.cli("console", "--json")).stdout) as WayIn);
}

/** The one that a command serves while there is no edge. */
async function alone(clawkit: TestClawkit): Promise<Reader> {
  const child = clawkit.spawnCli("console", "--json");
  let printed = "";
  while (!printed.includes("}")) printed += String((await once(child.stdout!, "data"))[0]);
  return await readerOf(JSON.parse(printed) as WayIn);
}

async function stepsOf({
  port,
  signed,
}: Reader): Promise<Map<string, { step: string; needsConfirm: boolean }>> {
  const { sections } = await get<Contract.Playbook>(port, "/playbooks/1006", signed);
  const lines = sections.flatMap((section) => section.lines).filter(({ canRun }) => canRun === true);
  const steps = new Map<string, { step: string; needsConfirm: boolean }>();
  for (const { text, step, needsConfirm } of lines) {
    // a line that comes again is the same step
    if (!steps.has(text)) steps.set(text, { step: step!, needsConfirm: needsConfirm === true });
  }
  return steps;
}

async function run(reader: Reader, command: Command, more: object = {}): Promise<Contract.StepResult> {
  const { step } = (await stepsOf(reader)).get(command)!;
  return await post(reader.port, "/playbooks/1006/run", reader.signed, { step, ...more });
}

async function runAll(reader: Reader, expected: Expected): Promise<void> {
  const steps = await stepsOf(reader);
  assert.deepEqual([...steps.keys()], [...RUNNABLE]);
  for (const [command, { needsConfirm }] of steps) {
    const { found, means, ...result } = await run(reader, command as Command);
    assert.ok(found.length > 0);
    assert.equal(result.needsConfirm ?? false, needsConfirm, command);
    assert.match(needsConfirm ? found.join() : means, expected[command as Command], `${command}: ${means}`);
  }
}

/** What the steps that other playbooks have beside it mean where a gateway is killed and does not come back. */
const OF_OTHERS: Readonly<Record<string, RegExp>> = {
  "clawkit doctor": /^A person or a program ended the gateway with a signal\./,
  "clawkit doctor --deep": /^A person or a program ended the gateway with a signal\./,
  "clawkit doctor --url ws://127.0.0.1:18789": /^A person or a program ended the gateway with a signal\./,
  "clawkit doctor --only processes": /^No process of a gateway lives\./,
  "clawkit doctor --only clock": /^The gateway's machine did not sleep lately|sle/,
  "clawkit doctor --only entry-points": /^What services and the shell start is there/,
  "clawkit doctor --only openclaw-logs": /^No log of OpenClaw has a word of trouble/,
  'journalctl -k --since -1h | grep "PM: suspend"': /^The gateway's machine did not sleep lately|sle/,
  "clawkit ps": /^No process of a gateway lives\./,
  "clawkit port": /^ClawKit itself listens there, as it should\./,
  "clawkit gateway status": /^ClawKit is unhealthy/,
  "curl -s http://127.0.0.1:18789/readyz": /^ClawKit is unhealthy/,
  "openclaw --version": /^A shell finds/,
  "which -a openclaw": /^A shell finds/,
  "clawkit connections --closed": /^Connections ended like this|^No connection ended/,
  "clawkit connections --closed --since 1h": /^Connections ended like this|^No connection ended/,
  "clawkit connections --live": /^No client is connected\.$/,
  "clawkit logs --follow":
    /^Gateway ended: refused to start, exit code 78 .*; the line before was: Error: held away\.$/,
  "clawkit logs --source gateway --since 10m": /; the line before was: Error: held away\.$/,
  "clawkit logs --source gateway --since 1h": /; the line before was: Error: held away\.$/,
  "clawkit why": /^The gateway is away since .* \(killed-by-signal, confirmed\)\.$/,
  "clawkit incidents": /^1 incident: 1 × killed-by-signal\.$/,
  "clawkit incidents --since 1d": /^1 incident: 1 × killed-by-signal\.$/,
  "clawkit crash show": /^The gateway ended \(config-refused-at-startup, /,
  "clawkit gateway start": /^Nothing was done: it waits for your yes\.$/,
  "clawkit config path": /^That file is the one that counts/,
  "clawkit config get gateway.auth":
    /^It is for the built-in gateway; the one here asks its clients by itself\.$/,
  "clawkit config get gateway.upstream": /^The edge sends clients to a program that ClawKit starts here\.$/,
  "clawkit config get gateway.keepalive": /^Clients are pinged after 20 s/,
  "clawkit config get supervisor.hangRestartSec": /^It is 30, the default\.$/,
  "clawkit config get supervisor.startTimeoutSec": /^It is 60, the default\.$/,
  "env | grep -c GATEWAY_TOKEN": /GATEWAY_TOKEN in the environment|^No such variable/,
};

async function runOthers({ port, signed }: Reader): Promise<void> {
  const { playbooks } = await get<Contract.PlaybookList>(port, "/playbooks", signed);
  const isRun = new Set<string>(RUNNABLE);
  for (const { code } of playbooks) {
    const { sections } = await get<Contract.Playbook>(port, `/playbooks/${code}`, signed);
    for (const { text, step, canRun } of sections.flatMap(({ lines }) => lines)) {
      if (canRun !== true || isRun.has(text)) continue;
      isRun.add(text);
      const { means } = await post<Contract.StepResult>(port, `/playbooks/${code}/run`, signed, { step });
      const expected = OF_OTHERS[text];
      assert.ok(expected !== undefined, `nobody says what ${text} should mean: ${means}`);
      assert.match(means, expected, text);
    }
  }
  assert.deepEqual(
    Object.keys(OF_OTHERS).filter((text) => !isRun.has(text)),
    [],
  );
}

const WITHOUT_DOCKER = {
  "docker ps -a | grep openclaw": /^No container here is this gateway/,
  "docker logs openclaw-gateway --tail 50": /^No container here is this gateway/,
  "docker inspect --format='{{.State.Health.Status}}' openclaw-gateway": /^No container here is this gateway/,
};

/** Containers of other tests are not of the machine that is looked at. */
async function withoutContainers(): Promise<FakeEngine> {
  const engine = await FakeEngine.start();
  process.env.DOCKER_HOST = engine.env.DOCKER_HOST;
  return engine;
}

describe("every step of playbook 1006 that can be run, against a real fault", { skip: needsProc }, () => {
  test("the gateway is killed with -9 and does not come back", async () => {
    await using _ = await withoutContainers();
    await using clawkit = await TestClawkit.create();
    const mark = join(clawkit.stateDir, "held-away");
    const command = program("echo").map((word) => `'${word}'`);
    const script = `test -e '${mark}' && echo "Error: held away" >&2 && exit 78; exec ${command.join(" ")}`;
    await clawkit.writeConfig({ gateway: { upstream: { type: "command", command: ["sh", "-c", script] } } });
    await clawkit.runForeground();
    const { gateway } = await clawkit.ready();
    const reader = await throughEdge(clawkit);
    await writeFile(mark, "");
    process.kill(gateway.pid!, "SIGKILL");
    // refused to start: nobody tries again by himself
    await clawkit.untilStatus(({ gateway: { lastExit } }) => lastExit?.code === 78);

    await runAll(reader, {
      ...WITHOUT_DOCKER,
      "clawkit harden": /can be made|Nothing is left to change/,
      "ps aux | grep openclaw": /^No process of a gateway lives\.$/,
      "lsof -i :18789": /^ClawKit itself listens there, as it should\.$/,
      "openclaw gateway restart": /^it would restart the gateway.*: 0 clients are told 1012, and come back$/,
      "openclaw gateway status": /^ClawKit is unhealthy/,
      'ps aux | grep "openclaw gateway" | grep -v grep':
        /^No process of a gateway lives\. Root Cause 1 holds \(.*, (confirmed|likely)\)\.$/,
      "openclaw logs --follow": /^Gateway ended: .*; the line before was: Error: held away\.$/,
      "openclaw gateway stop": /^it would end the gateway, its edge and this console/,
      "openclaw gateway start": /^it would wait until the gateway is ready$/,
      "openclaw doctor": /\S/,
    });

    await runOthers(reader);

    // the page's own fix
    await rm(mark);
    const done = await run(reader, "openclaw gateway restart", { confirm: true });
    assert.equal(done.means, `Clients are served at ${clawkit.url}.`);
  });

  test("nothing runs: it is started from the page", async () => {
    await using _ = await withoutContainers();
    await using clawkit = await TestClawkit.create();
    const reader = await alone(clawkit);
    await runAll(reader, {
      ...WITHOUT_DOCKER,
      "clawkit harden": /./,
      "ps aux | grep openclaw": /^No process of a gateway lives\.$/,
      "lsof -i :18789": new RegExp(`^Nothing listens on port ${clawkit.port}\\.$`),
      "openclaw gateway restart": new RegExp(`^it would start the gateway on port ${clawkit.port}$`),
      "openclaw gateway status": /^Nothing takes connections there: no gateway serves\.$/,
      'ps aux | grep "openclaw gateway" | grep -v grep': /^No process of a gateway lives/,
      "openclaw logs --follow": /^Nothing was printed in that time/,
      "openclaw gateway stop": /^nothing runs: nothing would change$/,
      "openclaw gateway start": new RegExp(`^it would start the gateway on port ${clawkit.port}$`),
      "openclaw doctor": /^Nothing listens where the client looked\.$/,
    });

    const started = await run(reader, "openclaw gateway start", { confirm: true });
    assert.match(started.means, new RegExp(`^Clients are served at ${clawkit.url}`));
    assert.match((await run(reader, "openclaw gateway status")).means, /^The gateway answers and is well/);
    const stopped = await run(reader, "openclaw gateway stop", { confirm: true });
    assert.match(stopped.means, /^The gateway is stopped, and its port is free/);
  });

  test("the port is held by a foreign server", async () => {
    await using _ = await withoutContainers();
    await using clawkit = await TestClawkit.create();
    const server = net.createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(clawkit.port, "127.0.0.1", resolve));
    try {
      const reader = await alone(clawkit);
      await runAll(reader, {
        ...WITHOUT_DOCKER,
        "clawkit harden": /./,
        "ps aux | grep openclaw": /^No process of a gateway lives\.$/,
        "lsof -i :18789": /^Another program holds the port, so no gateway can listen there\.$/,
        "openclaw gateway restart": /^it would fail: another program has port \d+$/,
        "openclaw gateway status": /^ClawKit does not run, and another program has its port/,
        'ps aux | grep "openclaw gateway" | grep -v grep': /^No process of a gateway lives/,
        "openclaw logs --follow": /^Nothing was printed in that time/,
        "openclaw gateway stop": /^nothing runs: nothing would change$/,
        "openclaw gateway start": /^it would fail: another program has port \d+$/,
        "openclaw doctor": /port/i,
      });
      const failed = await run(reader, "openclaw gateway start", { confirm: true });
      assert.match(failed.found.join(), /^Cannot start .* port \d+ is in use/);
      assert.match(failed.means, /^It failed: gateway start was not done/);
    } finally {
      server.close();
    }
  });

  test("its container was ended by the kernel", async (t) => {
    await using engine = await withoutContainers();
    await using clawkit = await TestClawkit.create();
    // a machine that has never seen ClawKit but in that container
    await rm(clawkit.configPath);
    process.env.OPENCLAW_GATEWAY_PORT = String(clawkit.port);
    t.after(() => delete process.env.OPENCLAW_GATEWAY_PORT);
    const ended = new Date(Date.now() - 60_000).toISOString();
    engine.containers = [
      {
        name: "openclaw-gateway",
        ports: { "18789/tcp": clawkit.port },
        state: {
          Status: "exited",
          Running: false,
          ExitCode: 137,
          OOMKilled: true,
          FinishedAt: ended,
          Pid: 0,
        },
      },
    ];
    const reader = await alone(clawkit);
    const means = async (command: Command) => (await run(reader, command)).means;
    const holds =
      /exited with code 137 \(SIGKILL\) at .*: OOMKilled\. Root Cause 3 holds \(oom, confirmed\)\.$/;
    assert.match(await means("docker ps -a | grep openclaw"), holds);
    assert.match(await means("docker logs openclaw-gateway --tail 50"), holds);
    assert.match(await means("docker inspect --format='{{.State.Health.Status}}' openclaw-gateway"), holds);
  });
});

test("a gateway that is stopped from its own console takes the console with it, and says so first", async () => {
  await using _ = await withoutContainers();
  await using clawkit = await TestClawkit.run();
  const reader = await throughEdge(clawkit);
  const { means } = await run(reader, "openclaw gateway stop", { confirm: true });
  assert.match(means, /^The console ends with it: clawkit console opens another/);
  await until(async () => (await clawkit.cli("gateway", "status")).code === 3 || undefined);
});

test("gateway start says where the console is", async () => {
  await using clawkit = await TestClawkit.create();
  const { stdout } = await clawkit.cli("gateway", "start");
  const address = `http://127.0.0.1:${clawkit.port}/__clawkit__/`;
  assert.match(
    stdout,
    new RegExp(`^The console is at ${address}; clawkit console opens it, signed in$`, "m"),
  );
  const again = await clawkit.cli("gateway", "start");
  assert.ok(again.stdout.includes(address), again.stdout);
  const json = await clawkit.cli("gateway", "start", "--json");
  assert.equal((JSON.parse(json.stdout) as { state: string }).state, "healthy");
});
