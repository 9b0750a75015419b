import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultConfig } from "../../config/parse.ts";
import type { Config } from "../../config/schema.ts";
import type { LogStream } from "../../core/log-line.ts";
import { entryOf, type LogSource } from "../../host/log-files.ts";
import type { ConnectionRow, IncidentRow } from "../../recorder/store.ts";
import { answerOf } from "../playbook-here.ts";
import type { Fact, NotLooked } from "../types.ts";
import { allSteps } from "./index.ts";
import type { Step } from "./types.ts";

const AT = Date.parse("2026-11-22T10:00:00Z");
const words = {
  time: (ms: number) => new Date(ms).toISOString().slice(11, 19),
  duration: (ms: number) => `${ms} ms`,
};

function stepOf<K extends Step["kind"]>(command: string, kind: K): Extract<Step, { kind: K }> {
  const step = allSteps.find((one) => one.command.test(command));
  assert.equal(step?.kind, kind, command);
  return step as Extract<Step, { kind: K }>;
}

const fact = (id: string, detail = id, source = ""): Fact => ({ id, detail, source });

/** What facts mean for a step; those of other looks are always there, too. */
const byFacts: [command: string, facts: readonly Fact[], means: string][] = [
  ["ps aux | grep openclaw", [], "A gateway process is there."],
  ["clawkit ps", [fact("ours-healthy")], "A gateway process is there."],
  [
    'tasklist | findstr "openclaw"',
    [fact("no-gateway-process", "no process of a gateway lives")],
    "No process of a gateway lives.",
  ],
  [
    'ps aux | grep "openclaw gateway" | grep -v grep',
    [fact("gateway-defunct"), fact("no-gateway-process", "no process of a gateway lives")],
    "No process of a gateway lives.",
  ],
  ["clawkit doctor --only processes", [fact("process-stopped", "pid 7 is stopped")], "Pid 7 is stopped."],
  [
    "clawkit doctor --only processes",
    [fact("process-burning", "pid 7 uses 99 % of a core")],
    "Pid 7 uses 99 % of a core.",
  ],
  ["lsof -i :18789", [fact("port-free", "nothing listens on port 18789")], "Nothing listens on port 18789."],
  ["netstat -ano | findstr :18789", [fact("port-ours")], "ClawKit itself listens there, as it should."],
  [
    "clawkit port",
    [fact("port-foreign", "pid 7 listens on port 18789: nc")],
    "Another program holds the port, so no gateway can listen there.",
  ],
  [
    "clawkit port",
    [fact("port-ours"), fact("port-foreign")],
    "Another program holds the port, so no gateway can listen there.",
  ],
  ["clawkit port", [fact("port-docker")], "The port leads into a container."],
  ["clawkit port", [], "It could not be told who listens there."],
  [
    "openclaw gateway status",
    [fact("healthz-ok"), fact("http-answers"), fact("ours-healthy")],
    "The gateway answers and is well.",
  ],
  [
    "clawkit gateway status",
    [fact("connect-refused"), fact("ours-stopped")],
    "Nothing takes connections there: no gateway serves.",
  ],
  [
    "clawkit gateway status",
    [fact("http-answers"), fact("ours-foreign")],
    "ClawKit does not run, and another program has its port.",
  ],
  ["openclaw gateway status", [fact("http-silent")], "It is there and does not answer: it hangs."],
  [
    "curl -s http://127.0.0.1:18789/readyz",
    [fact("http-answers"), fact("not-ready", "/readyz answers HTTP 503")],
    "/readyz answers HTTP 503.",
  ],
  [
    "curl.exe -s http://127.0.0.1:18789/readyz",
    [fact("healthz-ok"), fact("loop-degraded")],
    "It answers, and its event loop is degraded.",
  ],
  ["curl -s http://127.0.0.1:18789/readyz", [fact("starting-up")], "It is still starting."],
  [
    "clawkit gateway status",
    [fact("not-healthy"), fact("starting-up"), fact("ours-unhealthy", "the gateway ended")],
    "The gateway ended.",
  ],
  ["openclaw --version", [fact("openclaw-version", "version 2026.9.6")], "A shell finds one OpenClaw."],
  ["which -a openclaw", [], "A shell finds no OpenClaw here."],
  ["where openclaw", [fact("installs-several", "two versions"), fact("openclaw-version")], "Two versions."],
  ["Get-Command openclaw -All", [fact("version-known-for-oom", "it is known for it")], "It is known for it."],
  [
    "clawkit doctor --only entry-points",
    [fact("service-entry-missing", "x is not there")],
    "X is not there.",
  ],
  [
    "clawkit doctor --only entry-points",
    [],
    "What services and the shell start is there, and of one version.",
  ],
  ["clawkit doctor --only openclaw-logs", [fact("heap-said", "heap out of memory")], "Heap out of memory."],
  [
    "clawkit doctor --only openclaw-logs",
    [fact("heap-said", "x", "docker logs a")],
    "No log of OpenClaw has a word of trouble.",
  ],
  ["clawkit doctor --only clock", [fact("host-slept", "the machine woke")], "The machine woke."],
  [
    'pmset -g log | grep -E "Entering Sleep|Wake from" | tail -5',
    [],
    "The gateway's machine did not sleep lately, as far as it tells.",
  ],
  [
    'journalctl -k --since -1h | grep "PM: suspend"',
    [fact("clock-set", "the clock was set")],
    "The clock was set.",
  ],
  ["powercfg /lastwake", [fact("host-has-slept", "it slept for 30 s")], "It slept for 30 s."],
  ["docker ps -a | grep openclaw", [], "No container here is this gateway, or no Docker Engine answers."],
  [
    "docker ps -a | grep openclaw",
    [fact("container-of-gateway", "container a is exited"), fact("container-ended", "it was stopped")],
    "It was stopped.",
  ],
  [
    "docker ps -a | grep openclaw",
    [fact("container-of-gateway", "container a is running")],
    "Container a is running.",
  ],
  [
    "docker inspect --format='{{.State.Health.Status}}' openclaw-gateway",
    [fact("container-of-gateway"), fact("container-unhealthy", "3 checks failed")],
    "3 checks failed.",
  ],
  [
    "docker logs openclaw-gateway --tail 50",
    [fact("container-of-gateway"), fact("heap-said", "heap out of memory", "docker logs a")],
    "Heap out of memory.",
  ],
];

describe("a step that facts answer", () => {
  for (const [command, facts, means] of byFacts) {
    test(`${command}: ${means}`, () => {
      const examination = { facts: [...facts, fact("of-another-look")], notLooked: [] };
      const answer = answerOf(stepOf(command, "facts"), examination);
      assert.equal(answer.means, means);
      const details = facts
        .filter(({ source }) => source === "" || command.startsWith("docker"))
        .map(({ detail }) => detail);
      assert.deepEqual(answer.found, details.length === 0 ? ["nothing was found"] : details);
    });
  }

  test("that could not be looked at is not the same as finding nothing", () => {
    const notLooked: NotLooked[] = [{ id: "containers", what: "containers", why: "permission denied" }];
    const { means } = answerOf(stepOf("docker ps -a | grep openclaw", "facts"), { facts: [], notLooked });
    assert.equal(
      means,
      "It could not be looked at (permission denied), which is not the same as finding nothing.",
    );
    const seen = { facts: [fact("container-of-gateway", "it runs")], notLooked };
    assert.equal(answerOf(stepOf("docker ps -a | grep openclaw", "facts"), seen).means, "It runs.");
    const other = answerOf(stepOf("clawkit port", "facts"), { facts: [fact("port-ours")], notLooked });
    assert.equal(other.means, "ClawKit itself listens there, as it should.");
  });
});

const incident: IncidentRow = {
  id: "i-1",
  kind: "outage",
  role: "gateway",
  openedAt: AT,
  closedAt: AT + 1_200,
  cause: "killed-by-signal",
  verdict: "confirmed",
  summary: "it was killed by SIGKILL",
  noticedBy: "supervisor",
  evidence: ["signal SIGKILL"],
  unknown: [],
  generation: 1,
  ends: 1,
  crash: null,
};

const open: ConnectionRow = {
  id: "e-1",
  openedAt: AT,
  address: "192.0.2.7",
  origin: null,
  path: "/",
  generation: 1,
  end: null,
  incident: null,
  clientId: "web",
  clientVersion: null,
  role: null,
};

const closed: ConnectionRow = {
  ...open,
  id: "e-2",
  end: {
    at: AT + 1_000,
    by: "client",
    code: 1001,
    reason: "",
    phase: "open",
    cause: "client-went-away",
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    framesOut: 0,
    lastActivityAt: AT,
    rttMs: null,
  },
};

const finding = {
  id: "port-conflict",
  title: "The port is taken",
  verdict: "confirmed",
  evidence: [fact("f", "nc has it")],
  remedies: [],
};

/** What command lines of ours print, and what that means. */
const bySaid: [command: string, args: string, said: unknown, means: string, found: readonly string[]][] = [
  [
    "clawkit doctor",
    "doctor --verbose",
    { verdict: "healthy", causes: [] },
    "The gateway is served now.",
    ["healthy"],
  ],
  [
    "openclaw doctor",
    "doctor --verbose",
    { verdict: "confirmed", causes: [finding] },
    "The port is taken.",
    ["port-conflict, confirmed: nc has it"],
  ],
  [
    "clawkit doctor --url ws://127.0.0.1:18789",
    "doctor --verbose",
    { verdict: "healthy", causes: [finding] },
    "The gateway is served now.",
    ["port-conflict, confirmed: nc has it"],
  ],
  [
    "clawkit doctor --deep",
    "doctor --deep",
    { verdict: "inconclusive", causes: [] },
    "Not enough evidence.",
    ["nothing was found"],
  ],
  ["clawkit harden", "harden", { advice: [] }, "There is no gateway here yet.", ["nothing was found"]],
  [
    "clawkit harden",
    "harden",
    { advice: [{ state: "ok" }] },
    "Nothing is left to change.",
    ["all is as it should be"],
  ],
  [
    "clawkit harden",
    "harden",
    {
      advice: [
        { state: "change", title: "Keepalive", current: "off" },
        { state: "yours", title: "Linger", current: "no" },
      ],
    },
    "1 change can be made, and 1 thing only you can do.",
    ["Keepalive: off", "Linger: no"],
  ],
  [
    "clawkit connections --closed",
    "connections --closed",
    [closed, closed, { ...closed, end: { ...closed.end, cause: "client-reset", code: null, reason: "x" } }],
    "Connections ended like this: 2 × client-went-away, 1 × client-reset.",
    [
      "e-2: web at 192.0.2.7, ended 10:00:01 by the client with 1001 (client-went-away)",
      "e-2: web at 192.0.2.7, ended 10:00:01 by the client with 1001 (client-went-away)",
      'e-2: web at 192.0.2.7, ended 10:00:01 by the client without a close frame "x" (client-reset)',
    ],
  ],
  [
    "clawkit connections --closed --since 1h",
    "connections --closed --since 1h",
    [],
    "No connection ended.",
    ["no such connection is recorded"],
  ],
  [
    "clawkit connections --live",
    "connections --live",
    [open],
    "These clients are connected: 1 × web.",
    ["e-1: web at 192.0.2.7, open since 10:00:00"],
  ],
  [
    "clawkit connections --live",
    "connections --live",
    [],
    "No client is connected.",
    ["no connection is open"],
  ],
  [
    "clawkit why",
    "why",
    { incident: null },
    "Nothing went down that the flight recorder saw.",
    ["no incident is recorded"],
  ],
  [
    "clawkit incidents",
    "incidents",
    [incident, incident],
    "2 incidents: 2 × killed-by-signal.",
    Array(2).fill("10:00:00 i-1: it was killed by SIGKILL"),
  ],
  [
    "clawkit incidents --since 1d",
    "incidents --since 1d",
    [],
    "Nothing went down.",
    ["no incident is recorded"],
  ],
  ["clawkit crash show", "crash show", undefined, "No process ended unasked.", ["no crash is recorded"]],
  [
    "clawkit crash show",
    "crash show",
    {
      role: "gateway",
      exit: { cause: "oom", verdict: "likely", summary: "V8 ran out of heap", evidence: ["a heap report"] },
      output: ["FATAL ERROR"],
    },
    "The gateway ended (oom, likely): V8 ran out of heap.",
    ["a heap report", "it printed: FATAL ERROR"],
  ],
  [
    "clawkit config path",
    "config path",
    { path: "/x/config.json5" },
    "That file is the one that counts; what it leaves out has its default.",
    ["/x/config.json5"],
  ],
];

describe("a step that a command of ours answers", () => {
  for (const [command, args, said, means, found] of bySaid) {
    test(`${command}: ${means}`, () => {
      const step = stepOf(command, "own");
      assert.equal(step.args.join(" "), args);
      assert.deepEqual(step.tell(said, words), { found, means });
    });
  }

  test("clawkit why tells the last incident", () => {
    const story = { incident, restarts: [], connections: 1, held: 0, notes: [] };
    const { found, means } = stepOf("clawkit why", "own").tell(story, words);
    assert.equal(means, "The gateway was away for 1200 ms, from 10:00:00 (killed-by-signal, confirmed).");
    assert.ok(found.includes("evidence: signal SIGKILL"), found.join("\n"));
  });
});

const entry = (second: number, text: string, stream: LogStream = "out", source: LogSource = "gateway") =>
  entryOf({ time: new Date(AT + second * 1_000).toISOString(), stream, text, source });

describe("a step that the logs answer", () => {
  const told = (command: string, ...entries: ReturnType<typeof entry>[]) =>
    stepOf(command, "logs").tell(entries, words);

  test("shows the last lines, and the one before the crash", () => {
    const { found, means } = told(
      "openclaw logs --follow",
      entry(1, "working"),
      entry(2, "gateway does not answer", "out", "edge"),
      entry(3, "gateway ended: killed by SIGKILL (generation 1, pid 7)", "end"),
      entry(4, "control ended: killed by SIGKILL (pid 9)", "end", "control"),
    );
    assert.equal(
      means,
      "Gateway ended: killed by SIGKILL (generation 1, pid 7); the line before was: working.",
    );
    assert.deepEqual(found.slice(0, 2), [
      "before the crash: 10:00:01 gateway: working",
      "10:00:01 gateway: working",
    ]);
  });

  test("a stop that somebody asked for is no crash", () => {
    const stop = entry(1, "gateway ended: asked by its operator, exit code 0 (generation 1, pid 7)", "end");
    assert.equal(told("clawkit logs --follow", stop).means, "No crash and no error are in these lines.");
    const error = entry(2, "Error: no", "err");
    assert.equal(
      told("clawkit logs --follow", stop, error).means,
      "No crash is in these lines, but 1 error.",
    );
  });

  test("a span without a line", () => {
    const step = stepOf("clawkit logs --source gateway --since 10m", "logs");
    assert.deepEqual([step.source, step.sinceMs], ["gateway", 600_000]);
    assert.equal(stepOf("clawkit logs --source gateway --since 1h", "logs").sinceMs, 3_600_000);
    assert.equal(step.tell([], words).means, "Nothing was printed in that time.");
  });
});

describe("a step that config or environment answer", () => {
  const preset = defaultConfig();
  const { gateway, supervisor } = preset;
  const url = { type: "url", url: "ws://192.0.2.1" } as const;
  const cases: [key: string, change: Partial<Config>, means: string][] = [
    ["gateway.auth", {}, "Clients need the token of gateway.auth.token."],
    ["gateway.auth", { gateway: { ...gateway, auth: { mode: "none" } } }, "Clients are asked for nothing."],
    [
      "gateway.auth",
      { gateway: { ...gateway, upstream: url } },
      "It is for the built-in gateway; the one here asks its clients by itself.",
    ],
    ["gateway.upstream", {}, "The edge sends clients to the built-in gateway of this machine."],
    [
      "gateway.upstream",
      { gateway: { ...gateway, upstream: url } },
      "The gateway runs elsewhere, and nobody here can see its process.",
    ],
    ["gateway.keepalive", {}, "Clients are pinged after 20 s of silence, and have 10 s to answer."],
    [
      "gateway.keepalive",
      { gateway: { ...gateway, keepalive: { ...gateway.keepalive, enabled: false } } },
      "Clients are not pinged, so idle connections may be dropped on their way.",
    ],
    ["supervisor.hangRestartSec", {}, "It is 30, the default."],
    [
      "supervisor.startTimeoutSec",
      { supervisor: { ...supervisor, startTimeoutSec: 90 } },
      "It is 90; the default is 60.",
    ],
  ];
  for (const [key, change, means] of cases) {
    test(`clawkit config get ${key}: ${means}`, () => {
      const { tell } = stepOf(`clawkit config get ${key}`, "config");
      assert.equal(tell({ ...preset, ...change }, preset).means, means);
    });
  }

  for (const command of [
    "env | grep -c GATEWAY_TOKEN",
    'set | find /c "GATEWAY_TOKEN"',
    "@(Get-ChildItem Env:*GATEWAY_TOKEN*).Count",
  ]) {
    test(command, () => {
      const { tell } = stepOf(command, "environment");
      assert.deepEqual(tell([]).found, ["0"]);
      assert.match(
        tell(["OPENCLAW_GATEWAY_TOKEN"]).means,
        /^OPENCLAW_GATEWAY_TOKEN in the environment .* counts more/,
      );
    });
  }
});

test("steps that change something", () => {
  for (const verb of ["restart", "start", "stop"] as const) {
    assert.equal(stepOf(`openclaw gateway ${verb}`, "changes").verb, verb);
  }
});
