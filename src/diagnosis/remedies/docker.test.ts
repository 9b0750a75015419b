import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type FakeContainer, FakeEngine } from "../../../test/helpers/fake-engine.ts";
import { actionsWith, examinationOf, machineWith, NOW } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { restartContainer, setRestartPolicy, startContainer } from "./docker.ts";
import { composeBind, composeCliNetwork, composePublish, composeRestart } from "./docker-compose.ts";
import { Ledger } from "./ledger.ts";
import type { Repair } from "./types.ts";

const HOUR_MS = 3_600_000;
const PORTS = { ports: { "18789/tcp": 28789 } };
const ENDED: FakeContainer = {
  ...PORTS,
  policy: "no",
  state: { Status: "exited", ExitCode: 1, FinishedAt: new Date(NOW - 60_000).toISOString() },
};

async function planOf(repair: Repair, engine: FakeEngine, ...facts: string[]) {
  const machine = machineWith({ env: engine.env });
  return await repair.plan({ machine, examination: await examinationOf(...facts), actions: actionsWith() });
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-docker-repair-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("a restart policy", () => {
  test("is set without asking, and undo gives it back what it had", async (t) => {
    await using engine = await FakeEngine.start({ ...ENDED, policy: "on-failure" });
    const ledger = new Ledger(await folderOf(t), () => Date.now());
    const plan = (await planOf(setRestartPolicy, engine, "container-no-restart-policy"))!;
    assert.deepEqual(
      [plan.risk, plan.what, plan.diff],
      [
        "safe",
        "set the restart policy of container openclaw-gateway to unless-stopped",
        ["- restart: on-failure", "+ restart: unless-stopped"],
      ],
    );
    await ledger.carryOut("docker-restart-policy", plan);
    await ledger.undo(undefined);
    const path = "POST /v1.41/containers/id-of-openclaw-gateway/update";
    assert.deepEqual(engine.posts, [
      `${path} {"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}}`,
      `${path} {"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":0}}`,
    ]);
  });

  test("is not thought of where there is one", async () => {
    await using engine = await FakeEngine.start(ENDED);
    assert.equal(await planOf(setRestartPolicy, engine, "container-of-gateway"), undefined);
  });
});

describe("a container that is down", () => {
  const down = ["container-of-gateway", "port-free"];

  test("is started", async () => {
    await using engine = await FakeEngine.start(ENDED);
    const plan = (await planOf(startContainer, engine, ...down))!;
    assert.deepEqual(
      [plan.risk, plan.what],
      ["safe", "start container openclaw-gateway, which ended at 2026-11-22T11:59:00.000Z"],
    );
    await plan.apply();
    assert.deepEqual(engine.posts, ["POST /v1.41/containers/id-of-openclaw-gateway/start"]);
  });

  test("is asked about first if it was stopped on purpose", async () => {
    await using engine = await FakeEngine.start(ENDED);
    assert.equal((await planOf(startContainer, engine, ...down, "ended-planned-stop"))?.risk, "disruptive");
  });

  test("is left alone if it would end at once, somebody listens, or it runs", async () => {
    await using engine = await FakeEngine.start(ENDED);
    for (const facts of [
      [...down, "ended-config-refused-at-startup"],
      [...down, "config-invalid-said"],
      ["container-of-gateway"],
      ["port-free"],
    ]) {
      assert.equal(await planOf(startContainer, engine, ...facts), undefined);
    }
    await using running = await FakeEngine.start(PORTS);
    assert.equal(await planOf(startContainer, running, ...down), undefined);
  });

  // an old gateway came back with its old config, and at every boot from then on, without a question
  test("is asked about first if it ended long ago, or something else here is for the port", async () => {
    const facts = [...down, "container-no-restart-policy"];
    const long = {
      ...ENDED,
      state: { ...ENDED.state, FinishedAt: new Date(NOW - 3 * HOUR_MS).toISOString() },
    };
    const CASES: [FakeContainer, Partial<Machine>][] = [
      [long, {}],
      [ENDED, { openclawDirs: ["/home/u/.openclaw"] }],
    ];
    for (const [one, changes] of CASES) {
      await using engine = await FakeEngine.start(one);
      const machine = machineWith({ env: engine.env, ...changes });
      const examination = await examinationOf(...facts);
      for (const repair of [startContainer, setRestartPolicy]) {
        const plan = await repair.plan({ machine, examination, actions: actionsWith() });
        assert.equal(plan?.risk, "disruptive", repair.id);
      }
    }
  });

  test("of somebody else is never started", async () => {
    await using engine = await FakeEngine.start({
      ...ENDED,
      name: "web",
      image: "nginx",
      command: ["nginx"],
    });
    assert.equal(await planOf(startContainer, engine, ...down), undefined);
  });
});

describe("an unhealthy container", () => {
  test("is restarted, and it is asked first", async () => {
    await using engine = await FakeEngine.start(PORTS);
    const plan = (await planOf(restartContainer, engine, "container-unhealthy"))!;
    assert.equal(plan.risk, "disruptive");
    await plan.apply();
    assert.deepEqual(engine.posts, ["POST /v1.41/containers/id-of-openclaw-gateway/restart"]);
  });

  const STRANGERS: Record<string, readonly string[]> = {
    "a database": ["postgres"],
    "a command of a gateway's, but none": ["openclaw", "gateway", "status"],
    "a program with the name as an argument": ["sleep", "openclaw-gateway"],
  };
  for (const [what, command] of Object.entries(STRANGERS)) {
    test(`is not ended if all that makes it a gateway is its name: ${what}`, async () => {
      const one = { ...PORTS, name: "openclaw-gateway", image: "openclaw/gateway", command };
      await using engine = await FakeEngine.start(one);
      assert.equal(await planOf(restartContainer, engine, "container-unhealthy"), undefined);
    });
  }
});

describe("a compose file", () => {
  const FILE = `services:
  openclaw-gateway:
    image: openclaw/gateway:latest   # ours
    command: ["clawkit", "gateway", "run", "--port", "28789", "--bind", "loopback"]
  openclaw-cli:
    image: openclaw/gateway:latest
`;

  /** A project whose file is this, as Compose 1.29 labels its containers: with the name that it was given. */
  async function projectOf(t: TestContext, text = FILE) {
    const folder = await folderOf(t);
    const file = join(folder, "docker-compose.yml");
    await writeFile(file, text);
    const labels = (service: string) => ({
      "com.docker.compose.project": "page",
      "com.docker.compose.service": service,
      "com.docker.compose.project.working_dir": folder,
      "com.docker.compose.project.config_files": "docker-compose.yml",
      "com.docker.compose.config-hash": "0123",
    });
    const name = "page_openclaw-gateway_1";
    const command = ["clawkit", "gateway", "run", "--port", "28789", "--bind", "loopback"];
    const gateway: FakeContainer = { name, command, labels: labels("openclaw-gateway") };
    const cli: FakeContainer = {
      name: "page_openclaw-cli_1",
      command: ["openclaw", "health"],
      labels: labels("openclaw-cli"),
    };
    return { folder, file, gateway, cli };
  }

  test("gets the restart policy, and the name that the page's commands ask for; undo takes both back", async (t) => {
    const { folder, file, gateway } = await projectOf(t);
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    const plan = (await planOf(composeRestart, engine, "container-no-restart-policy"))!;
    assert.deepEqual(
      [plan.risk, plan.what, plan.diff],
      [
        "disruptive",
        `set restart: unless-stopped for openclaw-gateway in ${file}`,
        ["+ container_name: openclaw-gateway", "+ restart: unless-stopped"],
      ],
    );
    const ledger = new Ledger(join(folder, "state"), () => Date.now());
    await ledger.carryOut("compose-restart-policy", plan);
    assert.match(
      await readFile(file, "utf8"),
      /# ours\n {4}container_name: openclaw-gateway\n {4}restart: unless-stopped\n/,
    );
    assert.equal(await planOf(composeRestart, engine, "container-no-restart-policy"), undefined);
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), FILE);
    assert.deepEqual(engine.posts, []);
  });

  test("that was edited meanwhile is not written", async (t) => {
    const { file, gateway } = await projectOf(t);
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    const plan = (await planOf(composeRestart, engine))!;
    await writeFile(file, `# edited\n${FILE}`);
    await assert.rejects(plan.apply(), /was changed meanwhile/);
  });

  test("publishes the port on this machine only", async (t) => {
    const { file, gateway } = await projectOf(t);
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composePublish, engine, "container-not-published"))!;
    assert.deepEqual(plan.diff?.slice(1), ["+ ports:", '+ - "127.0.0.1:28789:28789"']);
    assert.equal(
      plan.what,
      `publish 127.0.0.1:28789:28789 for openclaw-gateway in ${file}, and make its container anew (docker compose up -d openclaw-gateway)`,
    );
  });

  // with another environment it would come up without its token, or with another folder
  test("is left as it is if Compose would make another container of it", async (t) => {
    const { folder, file, gateway } = await projectOf(t);
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composeBind, engine))!;
    await assert.rejects(plan.apply(), (error: Error) => {
      assert.match(error.message, /^Not done, as .*; do it yourself: change /);
      assert.ok(error.message.endsWith(`and run in ${folder}: docker compose up -d openclaw-gateway`));
      return true;
    });
    assert.equal(await readFile(file, "utf8"), FILE);
  });

  test("is left as it is if what runs is no gateway", async (t) => {
    const { gateway } = await projectOf(t);
    await using engine = await FakeEngine.start({ ...gateway, ...PORTS, command: ["postgres"] });
    assert.equal(await planOf(composeBind, engine), undefined);
  });

  test("has its bind in .env, as upstream's has", async (t) => {
    const variable = '"$OPENCLAW_GATEWAY_BIND"';
    const { folder, gateway } = await projectOf(t, FILE.replace('"loopback"', variable));
    const text = "TOKEN=x\nOPENCLAW_GATEWAY_BIND=loopback\n# end\n";
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, ".env"), text);
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composeBind, engine))!;
    assert.deepEqual(plan.files, [join(folder, ".env")]);
    assert.deepEqual(plan.diff, ["- OPENCLAW_GATEWAY_BIND=loopback", "+ OPENCLAW_GATEWAY_BIND=lan"]);
  });

  test("lets the CLI share the gateway's network, unless it says otherwise", async (t) => {
    const { gateway, cli } = await projectOf(t);
    await using engine = await FakeEngine.start(gateway, cli);
    const plan = (await planOf(composeCliNetwork, engine))!;
    assert.deepEqual(plan.diff, ['+ network_mode: "service:openclaw-gateway"']);
    const own = await projectOf(t, `${FILE}    networks: [own]\n`);
    await using other = await FakeEngine.start(own.gateway, own.cli);
    assert.equal(await planOf(composeCliNetwork, other), undefined);
  });

  test("that is not on this machine is no plan", async (t) => {
    const { folder, gateway } = await projectOf(t);
    await rm(join(folder, "docker-compose.yml"));
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    for (const repair of [composeRestart, composeBind]) assert.equal(await planOf(repair, engine), undefined);
  });
});
