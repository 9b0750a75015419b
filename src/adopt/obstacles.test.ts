import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { machineWith, processWith, stoppedStatus } from "../../test/helpers/machine.ts";
import { defaultConfig } from "../config/parse.ts";
import type { OpenclawGateway } from "../host/openclaw-gateway.ts";
import type { ServiceFacts } from "../host/types.ts";
import type { Installation } from "./installation.ts";
import { obstaclesFor } from "./obstacles.ts";

const GATEWAY: OpenclawGateway = {
  mode: "local",
  authMode: "token",
  bind: "loopback",
  hasTls: false,
  trustedProxies: [],
  allowedOrigins: [],
  hasIncludes: false,
};

function installation(
  changes: Partial<Installation> = {},
  gateway: Partial<OpenclawGateway> = {},
): Installation {
  return {
    command: ["/usr/bin/openclaw"],
    version: "2026.9.6",
    configPath: "/home/u/.openclaw/openclaw.json",
    configText: "{}",
    gateway: { ...GATEWAY, ...gateway },
    port: 18789,
    running: [],
    portOwners: [],
    services: [],
    container: undefined,
    isInContainer: false,
    firstProcess: undefined,
    ...changes,
  };
}

const service = (manager: ServiceFacts["manager"], name: string): ServiceFacts => ({
  manager,
  name,
  isRunning: true,
  state: "active (running)",
});

const running = (changes: { user?: string; port?: number; isProven?: boolean }) => ({
  facts: { ...processWith({ pid: 4711, command: "openclaw-gateway" }), user: changes.user ?? "u" },
  port: changes.port ?? 18789,
  isProven: changes.isProven ?? true,
});

async function obstacles(found: Installation, machine = machineWith({ userName: "u" })) {
  return (await obstaclesFor(found, machine)).map(({ text, commands }) => [text, ...commands].join("\n"));
}

describe("nothing stands in the way", () => {
  const fine: Record<string, Installation> = {
    "of one that is not running": installation(),
    "of one that runs in a terminal": installation({
      running: [running({})],
      portOwners: [{ address: "127.0.0.1", pid: 4711, command: "openclaw-gateway" }],
    }),
    "of one on a network that asks for a token": installation({}, { bind: "lan" }),
    "of one on loopback that asks nobody": installation({}, { authMode: "none" }),
    "of one whose other files have nothing to say about it": installation({}, { hasIncludes: true, port: 1 }),
    "of one that runs on a network": installation(
      {
        running: [running({})],
        portOwners: [{ address: "0.0.0.0", pid: 4711, command: "openclaw-gateway" }],
      },
      { bind: "lan" },
    ),
  };
  for (const [name, found] of Object.entries(fine)) {
    test(name, async () => assert.deepEqual(await obstacles(found), []));
  }
});

describe("it is said, with what to type, that", () => {
  const cases: [what: string, found: Installation, said: RegExp][] = [
    ["there is no openclaw", installation({ command: undefined }), /npm i -g openclaw/],
    [
      "openclaw is only there for a while",
      installation({ command: ["/home/u/.npm/_npx/1f2e/node_modules/.bin/openclaw"] }),
      /will not stay there.*\n?npm i -g openclaw/,
    ],
    ["it was never set up", installation({ configText: undefined }), /openclaw onboard/],
    ["its config is broken", installation({ gateway: { problem: "line 3 is no JSON5" } }), /line 3/],
    ["its mode is unset", installation({}, { mode: undefined as never }), /gateway\.mode must be "local"/],
    ["its gateway is elsewhere", installation({}, { mode: "remote" }), /runs on another machine/],
    ["it has TLS", installation({}, { hasTls: true }), /tls\.enabled false/],
    ["a proxy logs its users in", installation({}, { authMode: "trusted-proxy" }), /trusted-proxy/],
    ["anybody may come in", installation({}, { authMode: "none", bind: "lan" }), /auth\.mode token/],
    [
      "a container lets anybody in",
      installation({ isInContainer: true }, { authMode: "none", bind: "auto" }),
      /auth\.mode is none/,
    ],
    ["its bind has no address", installation({}, { bind: "custom" }), /customBindHost/],
    ["its bind is unknown", installation({}, { bind: "everywhere" }), /everywhere/],
    [
      "systemd has it",
      installation({ services: [service("systemd (user)", "openclaw-gateway.service")] }),
      /systemctl --user disable --now openclaw-gateway\.service/,
    ],
    [
      "the system's systemd has it",
      installation({ services: [service("systemd", "openclaw-gateway.service")] }),
      /sudo systemctl/,
    ],
    [
      "launchd has it",
      installation({ services: [service("launchd", "ai.openclaw.gateway")] }),
      /launchctl bootout.*mv/,
    ],
    ["Windows has it", installation({ services: [service("Windows task", "OpenClaw Gateway")] }), /schtasks/],
    [
      "a container has it",
      installation({
        portOwners: [{ address: "0.0.0.0", pid: 9, command: "/usr/bin/docker-proxy -proto tcp" }],
      }),
      /docker ps --filter publish=18789/,
    ],
    [
      "a container has it whose name Docker tells",
      installation({ container: { name: "claw-1", service: "claw" } }),
      /docker stop claw-1\ndocker compose stop claw/,
    ],
    [
      "what decides may stand elsewhere",
      installation({}, { hasIncludes: true }),
      /has to say gateway\.port itself/,
    ],
    [
      "it was started to let others in",
      installation({
        running: [running({})],
        portOwners: [{ address: "0.0.0.0", pid: 4711, command: "openclaw-gateway" }],
      }),
      /listens on 0\.0\.0\.0.*\n.*gateway\.bind lan/,
    ],
    [
      "it was started to let nobody else in",
      installation(
        {
          running: [running({})],
          portOwners: [{ address: "127.0.0.1", pid: 4711, command: "openclaw-gateway" }],
        },
        { bind: "lan" },
      ),
      /listens on 127\.0\.0\.1.*\n.*gateway\.bind loopback/,
    ],
    [
      "it is a container's main process",
      installation({ isInContainer: true, firstProcess: "tini -- node dist/index.js gateway --bind lan" }),
      /clawkit gateway run/,
    ],
    ["another user runs it", installation({ running: [running({ user: "v" })] }), /runs as v/],
    ["it runs on another port", installation({ running: [running({ port: 19001 })] }), /gateway\.port 19001/],
    ["it cannot prove itself", installation({ running: [running({ isProven: false })] }), /kill 4711/],
    [
      "somebody else has the port",
      installation({ portOwners: [{ address: "127.0.0.1", pid: 5, command: "nginx" }] }),
      /held by nginx \(pid 5\)/,
    ],
  ];
  for (const [what, found, said] of cases) {
    test(what, async () => {
      const [text = "", ...others] = await obstacles(found);
      assert.match(text, said);
      assert.deepEqual(others, []);
    });
  }

  test("it is adopted already, or ClawKit runs another gateway", async () => {
    const config = defaultConfig();
    const upstream = { type: "openclaw" } as const;
    const adopted = { ...config, gateway: { ...config.gateway, upstream } };
    const status = stoppedStatus({ supervisor: { pid: 7, upMs: 1, version: null } });
    const own = machineWith({ ownConfig: async () => adopted });
    assert.match((await obstacles(installation(), own)).join(), /not running\nclawkit gateway start/);
    const runs = machineWith({ ownConfig: async () => adopted, status: async () => status });
    assert.match((await obstacles(installation(), runs)).join(), /already, and runs/);
    const another = machineWith({ ownConfig: async () => config, status: async () => status });
    assert.match((await obstacles(installation(), another)).join(), /clawkit gateway stop/);
  });
});
