import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { FakeCompose } from "../../../test/helpers/fake-compose.ts";
import { type FakeContainer, FakeEngine } from "../../../test/helpers/fake-engine.ts";
import { actionsWith, examinationOf, machineWith, NOW } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { composeBind, composeCliNetwork, composePublish, composeRestart } from "./docker-compose.ts";
import { Ledger } from "./ledger.ts";
import type { Repair } from "./types.ts";

const PORTS = { ports: { "18789/tcp": 28789 } };
const ENDED: FakeContainer = {
  ...PORTS,
  policy: "no",
  state: { Status: "exited", ExitCode: 1, FinishedAt: new Date(NOW - 60_000).toISOString() },
};

async function planOf(repair: Repair, engine: FakeEngine, around?: Pick<Machine, "env">, ...facts: string[]) {
  const machine = machineWith({ env: { ...around?.env, ...engine.env } });
  return await repair.plan({ machine, examination: await examinationOf(...facts), actions: actionsWith() });
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-docker-repair-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

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
      "com.docker.compose.config-hash": FakeCompose.hashOf(text, service),
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
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    const plan = (await planOf(composeRestart, engine, compose, "container-no-restart-policy"))!;
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
    assert.equal(await planOf(composeRestart, engine, compose, "container-no-restart-policy"), undefined);
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), FILE);
    assert.deepEqual(engine.posts, []);
  });

  test("that was edited meanwhile is not written", async (t) => {
    const { file, gateway } = await projectOf(t);
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    const plan = (await planOf(composeRestart, engine, compose))!;
    await writeFile(file, `# edited\n${FILE}`);
    await assert.rejects(plan.apply(), /was changed meanwhile/);
  });

  test("publishes the port on this machine only", async (t) => {
    const { file, gateway } = await projectOf(t);
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composePublish, engine, undefined, "container-not-published"))!;
    assert.deepEqual(plan.diff, ["+ ports:", '+ - "127.0.0.1:28789:28789"']);
    assert.equal(
      plan.what,
      `publish 127.0.0.1:28789:28789 for openclaw-gateway in ${file}, and make its container anew (docker compose up -d --no-deps openclaw-gateway)`,
    );
  });

  // with another environment it would come up without its token, or with another folder
  test("is left as it is if Compose would make another container of it", async (t) => {
    const { folder, file, gateway } = await projectOf(t);
    const labels = { ...gateway.labels, "com.docker.compose.config-hash": "of another environment" };
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start({ ...gateway, labels });
    const plan = (await planOf(composeBind, engine, compose))!;
    await assert.rejects(plan.apply(), (error: Error) => {
      assert.match(error.message, /^Not done, as .*; do it yourself: change /);
      assert.ok(
        error.message.endsWith(`and run in ${folder}: docker compose up -d --no-deps openclaw-gateway`),
      );
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
    // Docker refuses a name or a resolver of its own with the network of another container
    for (const line of ["networks: [own]", "hostname: cli", "dns: 1.1.1.1", 'extra_hosts: ["a:1.2.3.4"]']) {
      const own = await projectOf(t, `${FILE}    ${line}\n`);
      await using other = await FakeEngine.start(own.gateway, own.cli);
      assert.equal(await planOf(composeCliNetwork, other), undefined, line);
    }
  });

  // `up` of one service made the database anew that it depends on; another context's engine got a second gateway
  test("is brought up alone, on the engine that was looked at", async (t) => {
    const { gateway, file } = await projectOf(t);
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start(gateway);
    const machine = { DOCKER_CONTEXT: "another" };
    const plan = (await planOf(composeBind, engine, { env: { ...compose.env, ...machine } }))!;
    await plan.apply();
    assert.match(await readFile(file, "utf8"), /"--bind", "lan"/);
    const { ups, all } = await compose.calls();
    assert.deepEqual(ups, ["up -d --no-deps openclaw-gateway"]);
    for (const { DOCKER_HOST, DOCKER_CONTEXT } of all) {
      assert.deepEqual([DOCKER_HOST, DOCKER_CONTEXT], [engine.env.DOCKER_HOST, ""]);
    }
  });

  // the file stayed edited, the gateway that had run stayed down, and there was nothing to undo
  test("is as it was if the container cannot be made, and so is the container", async (t) => {
    const { gateway, file, folder } = await projectOf(t);
    await using compose = await FakeCompose.create({ forbids: "127.0.0.1:28789" });
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composePublish, engine, compose, "container-not-published"))!;
    const ledger = new Ledger(join(folder, "state"), () => Date.now());
    await assert.rejects(ledger.carryOut("compose-publish", plan), {
      code: "CONTROL_FAILED",
      message: /already allocated; .* is as it was, and its container is up as it was$/,
    });
    assert.equal(await readFile(file, "utf8"), FILE);
    assert.equal((await compose.calls()).ups.length, 2);
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
  });

  test("that cannot make the old container either has it started", async (t) => {
    const { gateway } = await projectOf(t);
    await using compose = await FakeCompose.create({ forbids: "openclaw-gateway" });
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composePublish, engine, compose, "container-not-published"))!;
    await assert.rejects(plan.apply(), /and its container is up as it was$/);
    assert.deepEqual(engine.posts, ["POST /v1.41/containers/id-of-page_openclaw-gateway_1/start"]);
  });

  // undo said "Undone: publish …", and the container went on publishing
  test("that is taken back makes the container anew again", async (t) => {
    const { gateway, file, folder } = await projectOf(t);
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start(gateway);
    const plan = (await planOf(composePublish, engine, compose, "container-not-published"))!;
    const ledger = new Ledger(join(folder, "state"), () => Date.now());
    await ledger.carryOut("compose-publish", plan);
    const { PATH, COMPOSE_CALLS } = process.env;
    t.after(() => Object.assign(process.env, { PATH, COMPOSE_CALLS: COMPOSE_CALLS ?? "" }));
    Object.assign(process.env, compose.env);
    await ledger.undo(undefined);
    assert.equal(await readFile(file, "utf8"), FILE);
    const up = "up -d --no-deps openclaw-gateway";
    assert.deepEqual((await compose.calls()).ups, [up, up]);
  });

  // both services got the port and the name: the next command line was refused for both
  const SHARED: Record<string, string> = {
    "merge it": FILE.replace("openclaw-gateway:\n", "openclaw-gateway: &gw\n").replace(
      "openclaw-cli:\n",
      "openclaw-cli:\n    <<: *gw\n",
    ),
    "extend it": `${FILE}    extends: { service: openclaw-gateway }\n`,
  };
  for (const [how, text] of Object.entries(SHARED)) {
    test(`is left as it is if other services ${how}`, async (t) => {
      const { gateway, file } = await projectOf(t, text);
      await using compose = await FakeCompose.create();
      await using engine = await FakeEngine.start(gateway);
      const plan = (await planOf(composePublish, engine, compose, "container-not-published"))!;
      await assert.rejects(
        plan.apply(),
        /Not done, as openclaw-cli shares these lines and would change, too; do it yourself: change /,
      );
      assert.equal(await readFile(file, "utf8"), text);
      assert.deepEqual((await compose.calls()).ups, []);
    });
  }

  test("is put back if Compose itself says that another service would change", async (t) => {
    const { folder, gateway } = await projectOf(t, FILE.replace('"loopback"', '"$OPENCLAW_GATEWAY_BIND"'));
    const before = "OPENCLAW_GATEWAY_BIND=loopback\n";
    await writeFile(join(folder, ".env"), before);
    await using compose = await FakeCompose.create();
    await using engine = await FakeEngine.start(gateway);
    const watched = { env: { ...compose.env, COMPOSE_ENV_FILE: join(folder, ".env") } };
    const plan = (await planOf(composeBind, engine, watched))!;
    await assert.rejects(plan.apply(), /Not done, as openclaw-cli shares these lines/);
    assert.equal(await readFile(join(folder, ".env"), "utf8"), before);
  });

  test("that is not on this machine is no plan", async (t) => {
    const { folder, gateway } = await projectOf(t);
    await rm(join(folder, "docker-compose.yml"));
    await using engine = await FakeEngine.start({ ...gateway, ...ENDED });
    for (const repair of [composeRestart, composeBind]) assert.equal(await planOf(repair, engine), undefined);
  });
});
