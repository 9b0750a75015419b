import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "../../test/helpers/clawkit.ts";
import { eventOf, FakeEngine } from "../../test/helpers/fake-engine.ts";
import { DockerEngine, NoEngineAnswer } from "./docker.ts";
import { parseContainer, parseEvents, parseSummaries, textOfLog } from "./docker-container.ts";
import { dockerEndpoint, dockerHostOf, parseDockerHost } from "./docker-endpoint.ts";

const fixture = (name: string) => readFile(join(ROOT, "test/fixtures/docker", name));

describe("what an engine 20.10 says of a container that was killed", () => {
  test("docker inspect", async () => {
    const container = parseContainer(JSON.parse((await fixture("inspect-killed.json")).toString()));
    assert.deepEqual(container, {
      id: "5ee3b80df2419362a75e17592ca163e106d5a232ee4ffa52fcd5ab88380721b7",
      name: "openclaw-gateway",
      image: "openclaw/gateway:latest",
      command: ["tini", "--", "clawkit", "gateway", "run"],
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/home/node",
        NODE_ENV: "production",
        CLAWKIT_CONTAINER: "1",
      },
      labels: {},
      hasTerminal: false,
      state: "exited",
      exitCode: 137,
      error: "",
      isOomKilled: false,
      pid: 0,
      createdAt: Date.parse("2026-11-22T23:22:32.062Z"),
      startedAt: Date.parse("2026-11-22T23:22:33.342Z"),
      finishedAt: Date.parse("2026-11-22T23:22:40.510Z"),
      health: { status: "unhealthy", failingStreak: 0, lastExitCode: 0, lastOutput: "healthy" },
      restartCount: 0,
      restartPolicy: { name: "on-failure", maxRetries: 2 },
      memoryLimitBytes: 256 * 2 ** 20,
      networkMode: "default",
      networks: ["bridge"],
      ports: [{ inside: 18789, hostAddress: "", hostPort: 25113 }],
      exposed: [18789],
      mounted: [],
    });
  });

  test("docker ps -a", async () => {
    const [one, ...others] = parseSummaries(JSON.parse((await fixture("list.json")).toString()));
    assert.deepEqual(others, []);
    assert.deepEqual(
      [one?.name, one?.image, one?.command, one?.state, one?.hostPorts],
      ["openclaw-gateway", "openclaw/gateway:latest", "tini -- clawkit gateway run", "exited", []],
    );
  });

  test("docker events", async () => {
    const events = parseEvents((await fixture("events-killed.jsonl")).toString());
    const told = events.map(({ action, signal, exitCode }) => ({ action, signal, exitCode }));
    assert.deepEqual(told, [
      { action: "start", signal: undefined, exitCode: undefined },
      { action: "kill", signal: "9", exitCode: undefined },
      { action: "die", signal: undefined, exitCode: 137 },
    ]);
    assert.equal(Math.floor(events[2]!.at), Date.parse("2026-11-22T23:22:40.539Z"));
  });

  test("docker logs: frames without a terminal, the bytes themselves with one", async () => {
    const body = await fixture("log.bin");
    const lines = textOfLog(body, false).trimEnd().split("\n");
    assert.equal(lines.length, 4);
    for (const line of lines) assert.match(line, /^2026-11-22T23:22:\d\d\.\d+Z 2026/);
    assert.equal(textOfLog(Buffer.from("one\r\ntwo"), true), "one\r\ntwo");
    // a frame that is cut, as by a limit of bytes
    assert.equal(textOfLog(Buffer.from("0100000000000005616263", "hex"), false), "abc");
    assert.equal(textOfLog(Buffer.from("010000", "hex"), false), "");
  });
});

test("what is missing in an answer is none, or nothing", () => {
  const { state, ports, restartPolicy, health, startedAt } = parseContainer({});
  assert.deepEqual(
    [state, ports, restartPolicy, health, startedAt],
    ["", [], { name: "", maxRetries: 0 }, undefined, undefined],
  );
  assert.equal(parseContainer({ State: { FinishedAt: "0001-01-01T00:00:00Z" } }).finishedAt, undefined);
  assert.deepEqual(parseSummaries({ message: "no" }), []);
});

describe("an engine", () => {
  test("is asked in its own version of the API", async () => {
    await using fake = await FakeEngine.start({
      log: ["2026-11-22T11:00:01Z hello"],
      events: [eventOf("die", { exitCode: "1" })],
    });
    const engine = new DockerEngine({ socketPath: fake.socketPath });
    const [one] = await engine.containers();
    const container = (await engine.container(one!.id))!;
    assert.equal(container.name, "openclaw-gateway");
    assert.equal(await engine.log(container, 0, 10), "2026-11-22T11:00:01Z hello\n");
    assert.deepEqual(
      (await engine.events(container.id, 0, 1)).map(({ exitCode }) => exitCode),
      [1],
    );
    await engine.start(container.id);
    await engine.setRestartPolicy(container.id, { name: "", maxRetries: 0 });
    assert.deepEqual(fake.posts, [
      "POST /v1.41/containers/id-of-openclaw-gateway/start",
      'POST /v1.41/containers/id-of-openclaw-gateway/update {"RestartPolicy":{"Name":"no","MaximumRetryCount":0}}',
    ]);
  });

  test("without such a container says so", async () => {
    await using fake = await FakeEngine.start();
    const engine = new DockerEngine({ socketPath: fake.socketPath });
    assert.equal(await engine.container("gone"), undefined);
    await assert.rejects(engine.start("gone"), {
      code: "CONTROL_FAILED",
      message: "Cannot start container gone: the Docker Engine says: No such container: gone",
    });
  });

  test("that does not run is no engine without containers", async () => {
    const engine = new DockerEngine({ host: "127.0.0.1", port: 1 });
    await assert.rejects(engine.containers(), (error) => {
      assert.ok(error instanceof NoEngineAnswer);
      assert.match(
        error.message,
        /^the Docker Engine at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\): is it running\?/,
      );
      return true;
    });
  });
});

describe("where the engine is", () => {
  const around = { env: {}, platform: "linux", home: "/nowhere" } as const;

  test("DOCKER_HOST says", () => {
    assert.deepEqual(parseDockerHost("unix:///run/user/1000/docker.sock"), {
      socketPath: "/run/user/1000/docker.sock",
    });
    assert.deepEqual(parseDockerHost("tcp://127.0.0.1:2375"), { host: "127.0.0.1", port: 2375 });
    assert.deepEqual(parseDockerHost("tcp://[::1]"), { host: "::1", port: 2375 });
    assert.deepEqual(parseDockerHost("npipe:////./pipe/docker_engine"), {
      socketPath: "//./pipe/docker_engine",
    });
  });

  test("and is told to others in its words", () => {
    for (const text of [
      "unix:///run/docker.sock",
      "npipe:////./pipe/docker_engine",
      "tcp://127.0.0.1:2375",
      "tcp://[::1]:2375",
    ]) {
      assert.equal(dockerHostOf(parseDockerHost(text)), text);
    }
  });

  for (const elsewhere of ["ssh://me@server", "tcp://10.0.0.2:2375", "nonsense"]) {
    test(`${elsewhere} is not on this machine`, async () => {
      const asked = dockerEndpoint({ ...around, env: { DOCKER_HOST: elsewhere } });
      await assert.rejects(asked, { message: new RegExp(`^DOCKER_HOST must be .* and is ${elsewhere}`) });
    });
  }

  // with a context in use `docker` listed one engine's containers, and the doctor looked at another's
  test("else the context that is chosen", async (t) => {
    const home = await mkdtemp(join(tmpdir(), "clawkit-context-"));
    t.after(() => rm(home, { recursive: true, force: true }));
    const context = async (name: string, Host: string) => {
      const id = createHash("sha256").update(name).digest("hex");
      await mkdir(join(home, ".docker/contexts/meta", id), { recursive: true });
      const meta = JSON.stringify({ Name: name, Endpoints: { docker: { Host } } });
      await writeFile(join(home, ".docker/contexts/meta", id, "meta.json"), meta);
    };
    await context("mine", "unix:///run/mine.sock");
    await context("far", "ssh://me@server");
    await writeFile(join(home, ".docker/config.json"), JSON.stringify({ currentContext: "mine" }));
    const asked = (env: Record<string, string>) => dockerEndpoint({ ...around, home, env });
    assert.deepEqual(await asked({}), { socketPath: "/run/mine.sock" });
    assert.deepEqual(await asked({ DOCKER_HOST: "unix:///a.sock" }), { socketPath: "/a.sock" });
    await assert.rejects(
      asked({ DOCKER_CONTEXT: "far" }),
      /^Error: the Docker context must be .* and is ssh:/,
    );
  });

  test("else the first socket that is there", async (t) => {
    const home = await mkdtemp(join(tmpdir(), "clawkit-endpoint-"));
    t.after(() => rm(home, { recursive: true, force: true }));
    await writeFile(join(home, "docker.sock"), "");
    const found = await dockerEndpoint({ ...around, env: { XDG_RUNTIME_DIR: home } });
    assert.ok(found !== undefined && "socketPath" in found);
    assert.ok([join(home, "docker.sock"), "/var/run/docker.sock"].includes(found.socketPath));
  });
});
