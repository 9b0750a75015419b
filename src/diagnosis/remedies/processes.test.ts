import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { freePort } from "../../../test/helpers/clawkit.ts";
import {
  actionsWith,
  examinationOf,
  hostWith,
  machineWith,
  processWith,
  stoppedStatus,
} from "../../../test/helpers/machine.ts";
import { isAlive, needsProc } from "../../../test/helpers/processes.ts";
import { pages, serve, tcp } from "../../../test/helpers/servers.ts";
import { hostFor } from "../../host/index.ts";
import type { ProcessFacts } from "../../host/types.ts";
import type { OpenClawLock } from "../facts/openclaw-locks.ts";
import type { Machine } from "../machine.ts";
import { localTarget } from "../target.ts";
import { continueStopped, endLeftovers, endWedged } from "./processes.ts";
import type { Actions } from "./types.ts";

const OPENCLAW_DIR = "/made-up/.openclaw";
const HUNG = ["http-silent", "port-family"];
const node = { executable: "/usr/bin/node", command: "openclaw-gateway" };

function lockOf({ pid, startTime }: ProcessFacts): OpenClawLock {
  return {
    path: `${OPENCLAW_DIR}/tmp/openclaw/gateway.lock`,
    pid,
    startTime,
    createdAt: undefined,
    port: undefined,
  };
}

/** A machine with one process on its port, whose lock is there. */
function machineOf(one: ProcessFacts, changes: Partial<Machine> = {}): Machine {
  return machineWith({
    host: hostWith({ portOwners: async () => [{ address: "127.0.0.1", pid: one.pid }] }),
    processes: async () => [one],
    openclawDirs: [OPENCLAW_DIR],
    openclawLocks: async () => [lockOf(one)],
    ...changes,
  });
}

async function planOf(machine: Machine, facts: readonly string[] = HUNG, actions: Partial<Actions> = {}) {
  return await endWedged.plan({
    machine,
    examination: await examinationOf(...facts),
    actions: actionsWith(actions),
  });
}

describe("ending a hung gateway is thought of", () => {
  const hung = processWith(node);

  test("for an OpenClaw gateway of this user that holds the port, and is asked first", async () => {
    const plan = await planOf(machineOf(hung));
    assert.equal(plan?.risk, "disruptive");
    assert.match(plan?.what ?? "", /port 28789 .*\(pid 4711\)$/);
  });

  const others: [what: string, machine: Machine, facts?: string[]][] = [
    ["one that answers", machineOf(hung), ["port-family"]],
    ["a foreign one", machineOf(hung), ["http-silent", "port-foreign"]],
    ["one that has only the title", machineOf(hung, { openclawLocks: async () => [] })],
    [
      "one with the pid of a lock",
      machineOf(hung, { openclawLocks: async () => [lockOf({ ...hung, startTime: "1" })] }),
    ],
    [
      "one that is no Node",
      machineOf(processWith({ executable: "/usr/bin/python3", command: "openclaw-gateway" })),
    ],
    ["another user's", machineOf(processWith({ ...node, user: "root" }))],
    ["nobody knows whose", machineOf({ ...hung, user: undefined } as unknown as ProcessFacts)],
    ["one that is stopped", machineOf(processWith({ ...node, state: "stopped" }))],
    ["one on another port", machineOf(hung, { host: hostWith() })],
    ["one whose lock is elsewhere", machineOf(hung, { openclawDirs: ["/made-up/.other"] })],
    ["one that is young", machineOf(hung), [...HUNG, "gateway-young"]],
    ["one that is starting up", machineOf(hung), [...HUNG, "starting-up"]],
  ];
  for (const [what, machine, facts] of others) {
    test(`not for ${what}`, async () => assert.equal(await planOf(machine, facts), undefined));
  }
});

/** A real Node that listens and says nothing, under a gateway's title. */
async function startSilent(
  t: TestContext,
): Promise<{ child: ChildProcess; port: number; facts: ProcessFacts }> {
  const port = await freePort();
  const script = `process.title = "openclaw-gateway";
    require("net").createServer((socket) => socket.resume()).listen(${port}, "127.0.0.1", () => console.log("on"))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout!, "data");
  return { child, port, facts: (await hostFor(process.platform).process(child.pid!))! };
}

/** What was sent to whom; nothing is sent. */
function recorded() {
  const sent: string[] = [];
  const signal: Actions["signal"] = async ({ pid }, name) => sent.push(`${name} ${pid}`) > 0;
  return { sent, signal };
}

describe("ending", { concurrency: true, skip: needsProc }, () => {
  const host = hostFor(process.platform);

  test("a real one that hangs takes a SIGTERM", async (t) => {
    const { child, port, facts } = await startSilent(t);
    const exited = once(child, "exit");
    const changes = { host, target: localTarget(port, false), userName: facts.user! };
    const signal: Actions["signal"] = async ({ pid }, name) => process.kill(pid, name);
    const plan = await planOf(machineOf(facts, changes), HUNG, { signal });
    await plan?.apply();
    assert.deepEqual(await exited, [null, "SIGTERM"]);
  });

  test("stops where its pid has become another process's", async (t) => {
    const port = await serve(
      t,
      tcp((socket) => socket.resume()),
    );
    const hung = processWith(node);
    const portOwners = async () => [{ address: "127.0.0.1", pid: hung.pid }];
    const successor = hostWith({ portOwners, process: async () => ({ ...hung, startTime: "later" }) });
    const { sent, signal } = recorded();
    const changes = { host: successor, target: localTarget(port, false) };
    await (await planOf(machineOf(hung, changes), HUNG, { signal }))?.apply();
    assert.deepEqual(sent, ["SIGTERM 4711"]);
  });

  test("does not happen to one that answers again", async (t) => {
    const port = await serve(t, pages({ "/healthz": [503, "{}"] }));
    const plan = await planOf(machineOf(processWith(node), { target: localTarget(port, false) }));
    assert.ok(plan);
    await assert.rejects(plan.apply(), { message: "Not ended: pid 4711 answers again" });
  });

  test("is never thought of for a foreign program with a gateway's title, and it lives", async (t) => {
    const { port, facts } = await startSilent(t);
    const machine = machineOf(facts, {
      host,
      target: localTarget(port, false),
      userName: facts.user!,
      processes: () => host.processes(),
      openclawLocks: async () => [],
    });
    assert.equal(await planOf(machine), undefined);
    assert.ok(await isAlive(facts.pid));
  });
});

describe("letting a stopped process go on", () => {
  const plan = async (machine: Machine, actions: Partial<Actions> = {}) =>
    await continueStopped.plan({
      machine,
      examination: await examinationOf(),
      actions: actionsWith(actions),
    });

  test("is for gateways of OpenClaw and ours, and exactly for those that are stopped", async () => {
    const [family, ours, foreign, awake] = [
      processWith({ ...node, pid: 1, state: "stopped" }),
      processWith({ pid: 2, state: "stopped" }),
      processWith({ pid: 3, state: "stopped", command: "openclaw-gateway" }),
      processWith({ ...node, pid: 4 }),
    ];
    const machine = machineWith({
      processes: async () => [family, ours, foreign, awake],
      openclawDirs: [OPENCLAW_DIR],
      openclawLocks: async () => [lockOf(family), lockOf(foreign), lockOf(awake)],
      status: async () => stoppedStatus({ edge: { pid: 2, held: 0 } }),
    });
    const { sent, signal } = recorded();
    const found = await plan(machine, { signal });
    assert.equal(found?.risk, "disruptive");
    await found?.apply();
    assert.deepEqual(sent.sort(), ["SIGCONT 1", "SIGCONT 2"]);
  });

  test("is not thought of where none is stopped", async () => {
    assert.equal(await plan(machineOf(processWith(node))), undefined);
  });

  test("fails if nobody took the signal", async () => {
    const stopped = machineOf(processWith({ ...node, state: "stopped" }));
    const found = await plan(stopped, { signal: async () => false });
    assert.ok(found);
    await assert.rejects(found.apply(), {
      code: "CONTROL_FAILED",
      message: /^Cannot send SIGCONT to pid 4711/,
    });
  });
});

describe("ending what a killed supervisor left", () => {
  const plan = async (pid: number | null, ...facts: string[]) => {
    const machine = machineWith({
      status: async () => stoppedStatus({ supervisor: { pid, upMs: null, version: null } }),
    });
    return await endLeftovers.plan({
      machine,
      examination: await examinationOf(...facts),
      actions: actionsWith(),
    });
  };

  test("is for what is ours by our run log, and not while a supervisor lives", async () => {
    assert.equal((await plan(null, "port-ours"))?.risk, "safe");
    assert.equal(await plan(4711, "port-ours"), undefined);
    assert.equal(await plan(null, "port-foreign"), undefined);
  });
});
