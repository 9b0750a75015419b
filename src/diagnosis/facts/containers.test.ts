import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventOf, type FakeContainer, FakeEngine } from "../../../test/helpers/fake-engine.ts";
import { hostWith, machineWith, NOW, processWith } from "../../../test/helpers/machine.ts";
import type { Machine } from "../machine.ts";
import { parseTarget } from "../target.ts";
import { containers } from "./containers.ts";

const PORT = 28789;
const PORTS = { ports: { "18789/tcp": PORT } };
const ENDED = {
  Status: "exited",
  ExitCode: 137,
  StartedAt: "2026-11-22T11:00:00Z",
  FinishedAt: "2026-11-22T11:59:00Z",
};

/** The facts that are found with these containers on the machine. */
async function found(given: readonly FakeContainer[], changes: Partial<Machine> = {}) {
  await using engine = await FakeEngine.start(...given);
  return await containers.look(machineWith({ env: engine.env, ...changes }));
}

async function ids(given: readonly FakeContainer[], changes: Partial<Machine> = {}): Promise<string[]> {
  return (await found(given, changes)).map(({ id }) => id);
}

describe("a container that ended", () => {
  test("by docker kill", async () => {
    const events = [eventOf("kill", { signal: "9" }), eventOf("die", { exitCode: "137" })];
    const facts = await found([
      { ...PORTS, state: ENDED, events, log: ["2026-11-22T11:58:59Z its last word"] },
    ]);
    assert.deepEqual(
      facts.map(({ id, detail }) => `${id}: ${detail}`),
      [
        "container-of-gateway: container openclaw-gateway of openclaw/gateway:latest is exited, restart policy unless-stopped, restarted 0 times",
        "ended-killed-by-signal: container openclaw-gateway exited with code 137 (SIGKILL) at 2026-11-22T11:59:00.000Z: it was sent SIGKILL through Docker (docker kill)",
        "exit-line: its last word",
      ],
    );
    assert.equal(facts[1]!.at, "2026-11-22T11:59:00.000Z");
  });

  const stop = [eventOf("kill", { signal: "15" }), eventOf("die", { exitCode: "137" }), eventOf("stop")];
  const own = [eventOf("die", { exitCode: "1" })];
  const CASES: Record<string, [given: FakeContainer, facts: readonly string[]]> = {
    "by docker stop": [{ events: stop }, ["ended-planned-stop"]],
    "by the kernel, for memory": [{ state: { OOMKilled: true } }, ["ended-oom", "container-ended-itself"]],
    "by the kernel, and stays so": [
      { state: { OOMKilled: true }, policy: "no" },
      ["ended-oom", "container-no-restart-policy", "container-ended-itself"],
    ],
    "by itself, and stays so": [
      { state: { ExitCode: 1 }, events: own, policy: "" },
      ["ended-unexplained-exit-likely", "container-no-restart-policy", "container-ended-itself"],
    ],
    "with 0, and its policy is for failures": [
      { state: { ExitCode: 0 }, events: own, policy: "on-failure" },
      ["ended-clean-exit", "container-no-restart-policy", "container-ended-itself"],
    ],
    "with 78": [
      { state: { ExitCode: 78 }, events: own, policy: "on-failure" },
      ["ended-config-refused-at-startup", "container-ended-itself"],
    ],
    "with 127": [
      { state: { ExitCode: 127 }, events: own, policy: "on-failure" },
      ["ended-start-failed-likely", "container-ended-itself"],
    ],
    "with 139": [
      { state: { ExitCode: 139 }, events: own, policy: "on-failure" },
      ["ended-native-crash-likely", "container-ended-itself"],
    ],
    "by a signal that Docker did not send": [
      { events: own, policy: "no" },
      ["ended-killed-by-signal-likely", "container-no-restart-policy", "container-ended-itself"],
    ],
    "with 137, and the engine has forgotten how": [{}, ["ended-killed-by-signal-likely"]],
    "with 143, and the engine has forgotten how": [
      { state: { ExitCode: 143 } },
      ["ended-planned-stop-likely"],
    ],
    "with 1, and the engine has forgotten how": [
      { state: { ExitCode: 1 }, policy: "no" },
      ["ended-unexplained-exit-likely", "container-no-restart-policy", "container-ended"],
    ],
    "before it began, as its port was taken": [
      {
        state: {
          Status: "created",
          Error: "driver failed: Bind for 0.0.0.0:18789 failed: port is already allocated",
        },
      },
      ["ended-port-conflict"],
    ],
    "before it began": [
      { state: { Status: "created", ExitCode: 127, Error: 'exec: "no": executable file not found' } },
      ["ended-start-failed"],
    ],
  };
  for (const [name, [given, expected]] of Object.entries(CASES)) {
    test(name, async () => {
      const one = { ...PORTS, ...given, state: { ...ENDED, ...given.state } };
      assert.deepEqual(await ids([one]), ["container-of-gateway", ...expected]);
    });
  }

  const ENDED_AT = Date.parse(ENDED.FinishedAt);
  const crash = { ...PORTS, policy: "no", state: { ...ENDED, ExitCode: 1 } };
  const CRASHED = [
    "container-of-gateway",
    "ended-unexplained-exit-likely",
    "container-no-restart-policy",
    "container-ended-itself",
  ];

  // 20 s after a docker restart it exited with 1, and the doctor was sure that it had been stopped on purpose
  test("is not stopped by the docker restart that began its life", async () => {
    const start = Date.parse(ENDED.StartedAt);
    const events = [
      eventOf("kill", { signal: "15" }, start - 200),
      eventOf("die", { exitCode: "143" }, start - 190),
      eventOf("stop", {}, start - 180),
      eventOf("die", { exitCode: "1" }, ENDED_AT),
    ];
    assert.deepEqual(await ids([{ ...crash, events }]), CRASHED);
  });

  // it ignored a SIGHUP (docker kill -s HUP), and exited with 1 ten seconds later: that was "killed, confirmed"
  test("is not killed by a signal that does not end it, or that it outlived", async () => {
    const KILLS: [signal: string, beforeMs: number][] = [
      ["1", 100],
      ["HUP", 100],
      ["12", 100],
      ["15", 100], // the code is not 143
      ["9", 60_000],
    ];
    for (const [signal, beforeMs] of KILLS) {
      const events = [
        eventOf("kill", { signal }, ENDED_AT - beforeMs),
        eventOf("die", { exitCode: "1" }, ENDED_AT),
      ];
      assert.deepEqual(await ids([{ ...crash, events }]), CRASHED, `${signal} ${beforeMs}`);
    }
    const hangUp = [eventOf("kill", { signal: "1" }), eventOf("die", { exitCode: "129" })];
    const found = await ids([{ ...crash, state: { ...ENDED, ExitCode: 129 }, events: hangUp }]);
    assert.ok(!found.includes("ended-killed-by-signal"), found.join());
  });

  test("is killed by a signal that its exit code tells, whatever the engine calls it", async () => {
    for (const [signal, exitCode] of [
      ["9", 137],
      ["KILL", 137],
      ["SIGTERM", 143],
      ["15", 0],
      ["sigint", 130],
    ] as const) {
      const events = [eventOf("kill", { signal }), eventOf("die", { exitCode: String(exitCode) })];
      const found = await ids([{ ...crash, state: { ...ENDED, ExitCode: exitCode }, events }]);
      assert.deepEqual(found, ["container-of-gateway", "ended-killed-by-signal"], signal);
    }
  });

  test("is of another time where somebody listens, or ClawKit serves the port itself", async () => {
    const one = { ...PORTS, state: ENDED };
    const host = hostWith({ portOwners: async () => [{ address: "0.0.0.0" }] });
    assert.deepEqual(await ids([one], { host }), []);
    assert.deepEqual(await ids([one], { hasOwnState: async () => true }), []);
  });

  test("is said of what its policy restarts again and again", async () => {
    const at = NOW - 10_000;
    const events = [eventOf("oom", {}, at), eventOf("die", { exitCode: "137" }, at)];
    await using engine = await FakeEngine.start({
      ...PORTS,
      events,
      state: { StartedAt: new Date(NOW - 5_000).toISOString() },
    });
    engine.restarts = 3;
    const facts = await containers.look(machineWith({ env: engine.env }));
    assert.deepEqual(
      facts.map(({ id }) => id),
      ["container-of-gateway", "ended-oom"],
    );
  });
});

describe("a container that runs", () => {
  const health = (status: string, output: string, code = 1) => ({
    state: { Health: { Status: status, FailingStreak: 3, Log: [{ ExitCode: code, Output: output }] } },
  });

  test("and is well has nothing to be told", async () => {
    assert.deepEqual(await ids([{ ...PORTS, ...health("healthy", "ok", 0) }]), ["container-of-gateway"]);
  });

  test("is unhealthy, and Docker does not act on it", async () => {
    const fact = (await found([{ ...PORTS, ...health("unhealthy", "the gateway\nis silent") }]))[1]!;
    assert.equal(fact.id, "container-unhealthy");
    assert.match(
      fact.detail,
      /3 checks in a row failed, the last with code 1: the gateway \/ is silent; Docker does not act/,
    );
  });

  test("is not called unhealthy if the check itself cannot run", async () => {
    const check = health(
      "unhealthy",
      'OCI runtime exec failed: exec: "curl": executable file not found in $PATH',
      127,
    );
    assert.deepEqual(await ids([{ ...PORTS, ...check }]), ["container-of-gateway", "container-check-broken"]);
  });

  test("publishes nothing, or at another port", async () => {
    const command = ["node", "dist/index.js", "gateway", "--bind", "lan", "--port", String(PORT)];
    assert.deepEqual(await ids([{ command }]), ["container-of-gateway", "container-not-published"]);
    const [elsewhere, ...more] = await found([{ command, ports: { [`${PORT}/tcp`]: 9999 } }]);
    assert.deepEqual(
      [elsewhere?.id, elsewhere?.detail, more],
      [
        "container-published-elsewhere",
        "the gateway in container openclaw-gateway is published at port 9999 of this machine, not at 28789",
        [],
      ],
    );
    assert.deepEqual(await ids([{ command, networkMode: "host" }]), ["container-of-gateway"]);
  });

  test("is told to bind loopback", async () => {
    const command = ["node", "dist/index.js", "gateway", "--bind", "loopback"];
    assert.deepEqual(await ids([{ ...PORTS, command }]), ["container-of-gateway", "container-told-loopback"]);
    const env = ["OPENCLAW_GATEWAY_BIND=127.0.0.1"];
    assert.deepEqual(await ids([{ ...PORTS, env }]), ["container-of-gateway", "container-told-loopback"]);
  });

  test("is paused", async () => {
    assert.deepEqual(await ids([{ ...PORTS, state: { Status: "paused" } }]), [
      "container-of-gateway",
      "container-paused",
    ]);
  });
});

describe("a command line in a container", () => {
  const said = new Date(NOW - 60_000).toISOString();
  const cli: FakeContainer = {
    name: "openclaw-cli",
    command: ["node", "dist/index.js", "gateway", "health"],
    log: [`${said} gateway connect failed: connect ECONNREFUSED 127.0.0.1:18789`],
  };

  test("that is refused in a network of its own", async () => {
    const facts = await found([PORTS, cli]);
    assert.deepEqual(
      facts.map(({ id }) => id),
      ["container-of-gateway", "cli-container-refused"],
    );
    assert.match(
      facts[1]!.detail,
      /^container openclaw-cli has a network of its own \(default\), where 127\.0\.0\.1 is not openclaw-gateway; it says: .*ECONNREFUSED/,
    );
    assert.equal(facts[1]!.at, said);
  });

  test("that was refused before the gateway was there, or long ago, or not at all", async () => {
    for (const at of ["2026-11-22T10:59:00Z", "2026-11-22T11:30:00Z"]) {
      const log = [`${at} connect ECONNREFUSED 127.0.0.1:18789`];
      assert.deepEqual(await ids([PORTS, { ...cli, log }]), ["container-of-gateway", "cli-container-apart"]);
    }
    assert.deepEqual(await ids([PORTS, { ...cli, log: [] }]), [
      "container-of-gateway",
      "cli-container-apart",
    ]);
  });

  test("that shares the gateway's network, or was given another address", async () => {
    const shared = { ...cli, networkMode: "container:id-of-openclaw-gateway" };
    const addressed = { ...cli, env: ["OPENCLAW_GATEWAY_URL=ws://openclaw-gateway:18789"] };
    for (const one of [shared, addressed])
      assert.deepEqual(await ids([PORTS, one]), ["container-of-gateway"]);
  });
});

describe("whose container it is", () => {
  // OpenClaw's own sandboxes are called so: one that had ended half a year ago was given a restart policy and started
  test("one that is only called like a gateway is none, whether it runs or not", async () => {
    const sandbox: FakeContainer = {
      name: "openclaw-sbx-agent-main-4f2a",
      image: "openclaw-sandbox:bookworm-slim",
      command: ["sleep", "infinity"],
      networkMode: "none",
    };
    assert.deepEqual(await ids([sandbox]), []);
    assert.deepEqual(await ids([{ ...sandbox, state: ENDED }]), []);
  });

  // beside a gateway that answered, its web page's health check made the doctor say that the gateway was sick
  test("a companion of the gateway is none, whatever its check and its environment say", async () => {
    const page: FakeContainer = {
      name: "openclaw-web-ui",
      image: "nginx",
      command: ["nginx"],
      env: [`OPENCLAW_GATEWAY_PORT=${PORT}`],
      state: { Health: { Status: "unhealthy", FailingStreak: 3, Log: [] } },
    };
    assert.deepEqual(await ids([page]), []);
    assert.deepEqual(await ids([PORTS, page]), ["container-of-gateway"]);
  });

  // a healthy gateway at another port was confirmed to be the one that is away, where a plain OpenClaw was down
  test("one at another port, or at none, is not meant where something else is installed for the port", async () => {
    const folder = "/home/u/.openclaw";
    const staging: FakeContainer = { name: "openclaw-staging", ports: { "18789/tcp": 29_999 } };
    const command = ["clawkit", "gateway", "run", "--port", String(PORT)];
    const [unit] = [{ manager: "systemd" as const, name: "openclaw", isRunning: false, state: "failed" }];
    for (const one of [staging, { command }]) {
      assert.equal((await ids([one])).length > 0, true);
      assert.deepEqual(await ids([one], { openclawDirs: [folder] }), []);
      assert.deepEqual(await ids([one], { hasOwnState: async () => true }), []);
      assert.deepEqual(await ids([one], { services: async () => [unit] }), []);
      // upstream's compose file gives the container this folder: then it is no other installation
      const mounted = [folder];
      assert.equal((await ids([{ ...one, mounted }], { openclawDirs: [folder] })).length > 0, true);
    }
  });

  test("one that ended more than a week ago is forgotten", async () => {
    const ended = (at: string) => ({ ...PORTS, state: { ...ENDED, StartedAt: at, FinishedAt: at } });
    assert.deepEqual(await ids([ended("2026-11-15T11:59:00Z")]), []);
    assert.equal((await ids([ended("2026-11-15T12:01:00Z")]))[0], "container-of-gateway");
  });

  test("none is behind a port that a process of the machine serves", async () => {
    const owners = (command: string, cgroup = "/user.slice") =>
      hostWith({
        portOwners: async () => [{ address: "127.0.0.1", pid: 4711 }],
        process: async () => processWith({ command }),
        cgroupOf: async () => cgroup,
      });
    const one: FakeContainer = { ...PORTS, state: { Health: { Status: "unhealthy", Log: [] } } };
    assert.deepEqual(await ids([one], { host: owners("openclaw-gateway") }), []);
    assert.equal(
      (await ids([one], { host: owners("/usr/bin/docker-proxy -proto tcp") }))[0],
      "container-of-gateway",
    );
    // with the network of the host the process is the container's
    const inside = owners("openclaw-gateway", "/docker/id-of-openclaw-gateway");
    const hosted = { command: ["clawkit", "gateway", "run", "--port", String(PORT)], networkMode: "host" };
    assert.deepEqual(await ids([hosted], { host: inside }), ["container-of-gateway"]);
  });

  test("one of somebody else that does not run is not looked at", async () => {
    assert.deepEqual(
      await ids([{ ...PORTS, name: "web", image: "nginx", command: ["nginx"], state: ENDED, ports: {} }]),
      [],
    );
  });

  test("one of somebody else that publishes the port is named", async () => {
    const facts = await found([{ ...PORTS, name: "web", image: "nginx", command: ["nginx"] }]);
    assert.deepEqual(
      facts.map(({ id, detail }) => [id, detail]),
      [["port-container", "container web of nginx publishes port 28789"]],
    );
  });

  test("of several the one that runs and is published is the gateway", async () => {
    const old = { ...PORTS, name: "openclaw-old", state: ENDED };
    const facts = await found([old, { ...PORTS, name: "openclaw-new" }]);
    assert.match(facts[0]!.detail, /^container openclaw-new /);
    const both = await ids([
      { ...PORTS, name: "openclaw-a" },
      { ...PORTS, name: "openclaw-b" },
    ]);
    assert.deepEqual(both, ["container-of-gateway", "containers-several"]);
  });

  test("none of a gateway on another machine", async () => {
    assert.deepEqual(await ids([PORTS], { target: parseTarget(`ws://10.0.0.9:${PORT}`) }), []);
  });
});

test("what a running gateway says of trouble is heard", async () => {
  const log = ["2026-11-22T11:59:59Z Invalid config at /home/node/.openclaw/openclaw.json"];
  const facts = await found([{ ...PORTS, log }]);
  assert.deepEqual(
    facts.slice(1).map(({ id, source }) => [id, source]),
    [["config-invalid-said", "docker logs openclaw-gateway"]],
  );
});

test("without an engine there are no containers; one that does not answer is not looked at", async () => {
  const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
  await assert.rejects(
    containers.look(machineWith({ env })),
    /the Docker Engine at \/nowhere\/docker\.sock does not answer \(ENOENT\)/,
  );
  assert.deepEqual(await containers.look(machineWith({ platform: "win32", env: { DOCKER_HOST: "" } })), []);
});
