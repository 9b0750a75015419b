import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ComposeProject } from "../containers/compose-project.ts";
import { docker, logsOf, whyNoEngine } from "../containers/engine.ts";
import { GatewayContainer } from "../containers/gateway-container.ts";
import { ensureImages, GATEWAY_IMAGE } from "../containers/images.ts";
import { collect, ROOT, until } from "../helpers/clawkit.ts";
import { claimPagePort, PAGE_PORT } from "../helpers/page-port.ts";
import { isPortFree } from "../helpers/processes.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { blockOf, readPage, scriptFor } from "../playbook/page.ts";

const page = readPage();
const DEBUG = scriptFor(blockOf(page, "Docker Gateway Debug"), "linux");
const COMPOSE_FILE = scriptFor(blockOf(page, "Docker Compose Restart Policy"), "linux");

/** Where a person beside the container connects. */
const URL = `ws://127.0.0.1:${PAGE_PORT}`;

/** Base image, downloads and build, and the other test file that uses the page's port. */
const BUILD_MS = 550_000;

const skip = process.env.CI ? false : ((await whyNoEngine()) ?? false);

describe("in containers", { skip }, () => {
  before(
    async () => {
      await ensureImages();
      await claimPagePort();
      assert.equal(await isPortFree(PAGE_PORT), true, `port ${PAGE_PORT} is in use`);
      const others = await docker("ps", "--all", "--quiet", "--filter", "name=^openclaw-gateway$");
      assert.equal(others, "", "there is a container openclaw-gateway, which is not of this test");
    },
    { timeout: BUILD_MS },
  );

  describe("the image", () => {
    test("is small, not root's, and has both names but neither npm nor dependencies", async (t) => {
      const [image] = JSON.parse(await docker("image", "inspect", GATEWAY_IMAGE));
      t.diagnostic(`image size: ${Math.round(image.Size / 1e6)} MB`);
      assert.ok(image.Size < 230e6, `${image.Size} bytes`);
      assert.equal(image.Config.User, "node");
      assert.deepEqual(image.Config.Entrypoint, ["tini", "--"]);
      const names = image.Config.Env.map((one: string) => one.split("=")[0]);
      assert.deepEqual(names, ["PATH", "HOME", "NODE_ENV", "CLAWKIT_CONTAINER"]);

      const look = [
        "id -u",
        "clawkit --version",
        "openclaw --version",
        "command -v npm curl || echo none",
        "find / -name node_modules -not -path '/proc/*' 2>/dev/null | wc -l",
      ];
      const saw = await docker("run", "--rm", "--network=none", GATEWAY_IMAGE, "sh", "-c", look.join("; "));
      assert.match(saw, /^1000\n\d+\.\d+\.\d+\n.*ClawKit.*\nnone\n0$/);
    });

    test("runs under tini, with a root that cannot be written and no capabilities", async () => {
      const id = await docker(
        "run",
        "--detach",
        "--read-only",
        "--tmpfs=/tmp",
        "--cap-drop=ALL",
        GATEWAY_IMAGE,
      );
      const container = new GatewayContainer(id);
      try {
        await container.untilHealth("healthy");
        assert.match(await container.sh("tr '\\0' ' ' < /proc/1/cmdline"), /^tini -- clawkit gateway run/);
        assert.equal((await container.status()).supervisor.pid === 1, false);
      } finally {
        await docker("rm", "--force", "--volumes", id);
      }
    });

    for (const { name, mode, options, told } of [
      {
        name: "belongs to root",
        mode: 0o777,
        options: "",
        told: /belongs to user 0, not 1000: give it to this one/,
      },
      { name: "is mounted read-only", mode: 0o700, options: ":ro", told: /EROFS.*mount it writable/ },
    ]) {
      test(`refuses a state folder that ${name}, and says so`, async () => {
        const folder = await mkdtemp(join(tmpdir(), "clawkit-volume-"));
        try {
          await chmod(folder, mode);
          const user = options === "" ? "node" : "root";
          const mount = `${folder}:/home/node/.clawkit${options}`;
          const args = [
            "run",
            "--rm",
            "--network=none",
            `--user=${user}`,
            `--volume=${mount}`,
            GATEWAY_IMAGE,
          ];
          const { code, stderr } = await collect(
            spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] }),
          );
          assert.equal(code, 78);
          assert.match(stderr, told);
        } finally {
          await rm(folder, { recursive: true });
        }
      });
    }

    test("says in its log when the container's memory is what ended the gateway, and goes on", async () => {
      const id = await docker("run", "--detach", "--memory=300m", "--memory-swap=300m", GATEWAY_IMAGE);
      const container = new GatewayContainer(id);
      try {
        await container.untilHealth("healthy");
        const { pid } = (await container.status()).gateway;
        const eater = "const eaten = []; while (true) eaten.push(Buffer.alloc(1e6, 1));";
        await container.sh(`echo 1000 > /proc/${pid}/oom_score_adj; node -e '${eater}' || true`);
        const log = await until(async () => {
          const text = await logsOf(id);
          return text.includes("why the gateway ended") ? text : undefined;
        });
        assert.match(log, /gateway ended: killed by SIGKILL; starting it again/);
        assert.match(
          log,
          /why the gateway ended \(generation 1\): the kernel killed it, .* memory limit \[oom, likely\]/,
        );
        await container.untilHealth("healthy");
        assert.equal(await container.inspect("{{.RestartCount}}"), "0");
      } finally {
        await docker("rm", "--force", "--volumes", id);
      }
    });
  });

  describe("the page's compose file, as it stands,", () => {
    let folder: string;
    let project: ComposeProject;
    let container: GatewayContainer;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "clawkit-compose-"));
      await writeFile(join(folder, "docker-compose.yml"), COMPOSE_FILE);
      project = await ComposeProject.open(folder);
    });

    after(async () => {
      await project[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    test("starts, turns healthy, and serves a client on the host that has the token", async (t) => {
      const startedAt = performance.now();
      await project.run("docker compose up -d openclaw-gateway");
      container = new GatewayContainer(await project.run("docker compose ps -q openclaw-gateway"));
      const told = (what: string) =>
        t.diagnostic(`from docker compose up to ${what}: ${Math.round(performance.now() - startedAt)} ms`);
      await until(() =>
        fetch(`http://127.0.0.1:${PAGE_PORT}/healthz`).then(
          (answer) => answer.ok || undefined,
          () => undefined,
        ),
      );
      told("clients served");
      await container.untilHealth("healthy");
      told("healthy");

      await using client = await ReferenceClient.connect(URL, await container.token());
      assert.ok(client.hello.server);
    });

    test("takes a client on the host for one on another machine: it needs the token, and gets no more", async () => {
      // it comes from the bridge's address; docker-proxy on its own must not make anybody local
      await using client = await ReferenceClient.connect(URL, await container.token());
      assert.deepEqual(client.hello.auth?.scopes, ["operator.read"]);
      await using stranger = new ReferenceClient(URL, "not-the-token-of-this-gateway");
      const pause = await stranger.when(() => stranger.pauses[0]);
      assert.equal(pause.detailCode, "AUTH_TOKEN_MISMATCH");
    });

    test("docker stop: clients are told 1012, and the container ends by itself", async () => {
      await using client = await ReferenceClient.connect(URL, await container.token());
      const startedAt = performance.now();
      await docker("stop", container.id);
      assert.ok(performance.now() - startedAt < 9_000, "Docker had to kill it after 10 s");
      assert.equal((await client.when(() => client.closes[0])).code, 1012);
      assert.equal(await container.inspect("{{.State.ExitCode}}"), "0");
      assert.match(await logsOf(container.id), /gateway stopped \(SIGTERM to its supervisor\)/);
    });

    test("keeps its token over a stop", async () => {
      const id = container.id;
      await docker("start", id);
      await container.untilHealth("healthy");
      const token = await container.token();
      await docker("restart", id);
      await container.untilHealth("healthy");
      assert.equal(await container.token(), token);
      await using client = await ReferenceClient.connect(URL, token);
      assert.ok(client.hello.server);
    });
  });

  describe("our compose file", () => {
    const container = new GatewayContainer("openclaw-gateway");
    let project: ComposeProject;

    before(async () => {
      project = await ComposeProject.open(ROOT);
      await project.run("docker compose up -d openclaw-gateway");
      await container.untilHealth("healthy");
    });

    after(() => project[Symbol.asyncDispose]());

    test("kill -9 of the gateway: clients go on, the container stays, its log says how it ended", async () => {
      await using client = await ReferenceClient.connect(URL, await container.token());
      const { pid } = (await container.status()).gateway;
      await container.sh(`kill -9 ${pid}`);
      assert.equal((await client.request("status")).generation, 2);
      assert.deepEqual([client.closes, client.hellos.length], [[], 1]);
      assert.equal(await container.inspect("{{.State.Status}} {{.RestartCount}}"), "running 0");
      const log = await until(async () => {
        const text = await logsOf(container.id);
        return text.includes("why the gateway ended") ? text : undefined;
      });
      assert.match(log, /gateway ended: killed by SIGKILL \(generation 1, pid \d+\)$/m);
    });

    test("a stopped gateway is unhealthy: the supervisor restarts it, Docker does nothing", async () => {
      const before = (await container.status()).gateway;
      await container.sh(`kill -STOP ${before.pid}`);
      await until(async () => {
        const { gateway, state } = await container.status();
        return (gateway.generation! > before.generation! && state === "healthy") || undefined;
      }, 60_000);
      await container.untilHealth("healthy");
      assert.equal(await container.inspect("{{.State.Status}} {{.RestartCount}}"), "running 0");
    });

    test("docker stop: clients are told 1012 before the time that the file grants is over", async () => {
      await using client = await ReferenceClient.connect(URL, await container.token());
      await docker("stop", container.id);
      assert.equal((await client.when(() => client.closes[0])).code, 1012);
      assert.equal(await container.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}"), "0 false");
    });

    test("the page's Docker block, pasted: finds the exited container, says why, and brings it back", async () => {
      const { code, stdout, stderr } = await project.paste(DEBUG);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^\w+ +openclaw\/gateway:latest .* Exited \(0\) .* openclaw-gateway$/m);
      assert.match(stdout, /gateway stopped \(SIGTERM to its supervisor\)/);
      assert.match(stdout, /\n(starting|healthy)\n$/);
      await container.untilHealth("healthy");
      await using client = await ReferenceClient.connect(URL, await container.token());
      assert.ok(client.hello.server);
    });
  });
});
