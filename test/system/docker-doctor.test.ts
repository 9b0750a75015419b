import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { before, describe, test } from "node:test";
import { composePublish } from "../../src/diagnosis/remedies/docker-compose.ts";
import { localTarget } from "../../src/diagnosis/target.ts";
import { ensureImages } from "../containers/images.ts";
import { DockerLab, whyNoDocker } from "../faults/docker-lab.ts";
import { dockerFaults } from "../faults/index.ts";
import { tryFault } from "../faults/trial.ts";
import { startBrowser, whyNoBrowser } from "../helpers/browser.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { ConsolePage, wayInOf } from "../helpers/console-page.ts";
import { actionsWith, examinationOf, machineWith } from "../helpers/machine.ts";
import { exits } from "../helpers/results.ts";

// With a real engine. Each container has a name of its own, and is removed by its id.

const skip = whyNoDocker();

if (!skip) before(ensureImages);

describe("a gateway in a container:", { skip, concurrency: false }, () => {
  for (const fault of dockerFaults) {
    const then = fault.isFixable ? ", and is mended" : "";
    test(`${fault.title}: ${fault.expected[0]}${then}`, async () => {
      await using trial = await tryFault(fault, { fix: true });
      const { first, wronglyConfirmed, report, repair } = trial.outcome;
      const said = JSON.stringify({ causes: report.causes, facts: report.facts }, null, 2);
      assert.deepEqual([first?.id, first?.verdict], [fault.expected[0], "confirmed"], said);
      assert.deepEqual(wronglyConfirmed, [], `sure of what is not so: ${said}`);
      if (!fault.isFixable) return;
      assert.notEqual(repair?.recoveredMs, undefined, JSON.stringify(repair?.report, null, 2));
      assert.equal((await trial.examine()).verdict, "healthy");
    });
  }
});

describe("a repair of a container is taken back:", { skip, concurrency: false }, () => {
  test("its restart policy, and the compose file byte for byte", async () => {
    await using lab = await DockerLab.create();
    const undo = () => exits(0, lab.output([process.execPath, CLAWKIT, "doctor", "undo"]));
    // it ends by itself once, and stays up when it is started again
    const gateway = `node dist/index.js gateway --bind lan --port ${lab.port}`;
    const once = `test -e /tmp/once && exec ${gateway}; touch /tmp/once; exit 3`;
    const text = lab
      .upstreamGateway("lan", ["ports:", `  - "127.0.0.1:${lab.port}:${lab.port}"`])
      .replace(/command: .*/, () => `command: ["sh", "-c", ${JSON.stringify(once)}]`);
    const { file, id } = await lab.composeUp(text);
    await lab.untilState(id, "{{.State.Status}}", "exited");
    const policy = () => lab.docker("inspect", "--format={{.HostConfig.RestartPolicy.Name}}", id);
    const { report } = await lab.doctor({}, "--fix", "--yes");
    assert.equal(report.verdict, "healthy", JSON.stringify(report, null, 2));
    assert.deepEqual([await policy(), (await readFile(file, "utf8")) === text], ["unless-stopped", false]);
    await undo();
    assert.equal(await policy(), "no");
    await undo();
    assert.equal(await readFile(file, "utf8"), text);
  });
});

describe("a repair that made a container anew", { skip, concurrency: false }, () => {
  // undo put the file back, and the container went on publishing
  test("is taken back with the container", async () => {
    await using lab = await DockerLab.create();
    const text = lab.upstreamGateway("lan");
    const { file, id } = await lab.composeUp(text);
    await lab.untilLogged(id, "listening");
    const ports = async () =>
      await lab.docker(
        "inspect",
        "--format={{.State.Status}} {{json .HostConfig.PortBindings}}",
        await lab.idOf(file, "openclaw-gateway"),
      );
    const { report } = await lab.doctor({}, "--fix", "--yes");
    assert.equal(report.verdict, "healthy", JSON.stringify(report, null, 2));
    assert.match(await ports(), /^running .*127\.0\.0\.1/);
    await exits(0, lab.output([process.execPath, CLAWKIT, "doctor", "undo"]));
    assert.equal(await readFile(file, "utf8"), text);
    assert.equal(await ports(), "running {}");
  });
});

describe("a repair of a container that cannot be made", { skip, concurrency: false }, () => {
  // the file stayed edited, and the gateway that had run was left as an exited container of another name
  test("leaves the compose file and the container as they were", async () => {
    await using lab = await DockerLab.create();
    const text = lab.upstreamGateway("lan");
    const { file, id } = await lab.composeUp(text);
    await lab.untilLogged(id, "listening");
    const machine = machineWith({ env: lab.env, target: localTarget(lab.port, false) });
    const examination = await examinationOf("container-not-published");
    const plan = (await composePublish.plan({ machine, examination, actions: actionsWith() }))!;
    // somebody takes the port between the look and the repair
    await using server = createServer();
    server.listen(lab.port, "127.0.0.1");
    await once(server, "listening");
    await assert.rejects(plan.apply(), {
      message:
        /^Cannot make the container of openclaw-gateway anew: .* is as it was, and its container is up as it was$/,
    });
    assert.equal(await readFile(file, "utf8"), text);
    const format = "--format={{.Name}} {{.State.Status}} {{json .HostConfig.PortBindings}}";
    const now = await lab.docker("inspect", format, await lab.idOf(file, "openclaw-gateway"));
    assert.equal(now, `/${lab.mark} running {}`);
  });
});

describe("the console, while the gateway's container is stopped,", { skip: skip || whyNoBrowser() }, () => {
  test("opens, names it, and its fix starts the container", async () => {
    await using lab = await DockerLab.create();
    const id = await lab.runGateway();
    await lab.docker("stop", id);
    const command = spawn(process.execPath, [CLAWKIT, "console", "--json"], {
      env: { ...process.env, ...lab.env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => void command.kill("SIGINT"));
    const browser = await startBrowser();
    stack.defer(() => browser.close());
    const visitor = stack.use(await ConsolePage.open(browser, await wayInOf(command)));
    await visitor.go("Doctor");
    await visitor.button(/^Fix/).first().click();
    assert.match(await visitor.verdict(), /operator|stopped/i);
    await visitor.confirm("Fix it");
    await visitor.page.getByText(/It helped\./).waitFor({ timeout: 60_000 });
    assert.equal(await lab.docker("inspect", "--format={{.State.Status}}", id), "running");
  });
});

describe("what is no gateway's container", { skip, concurrency: false }, () => {
  test("is named, and outlives doctor --fix --yes, whatever it is called", async () => {
    await using lab = await DockerLab.create();
    const check = [
      "--health-cmd=false",
      "--health-interval=1s",
      "--health-start-period=1s",
      "--health-retries=1",
    ];
    const server = "require('http').createServer((_, a) => a.writeHead(503).end()).listen(18789)";
    const id = await lab.run(
      ["-p", `${lab.port}:18789`, ...check],
      "openclaw/gateway:latest",
      "node",
      "-e",
      server,
    );
    await lab.untilState(id, "{{.State.Health.Status}}", "unhealthy");
    const startedAt = () => lab.docker("inspect", "--format={{.State.Pid}} {{.State.StartedAt}}", id);
    const start = await startedAt();
    const { report } = await lab.doctor({}, "--fix", "--yes");
    const said = JSON.stringify(report, null, 2);
    assert.ok(
      report.facts.some(({ id, detail }) => id === "port-container" && detail.includes(lab.mark)),
      said,
    );
    assert.ok(!report.causes.some(({ id }) => id === "docker-unhealthy"), said);
    assert.equal(await startedAt(), start);
  });
});
