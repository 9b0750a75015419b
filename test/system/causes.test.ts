import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { CauseId } from "../../src/core/causes.ts";
import type { EndedBy } from "../../src/core/process-end.ts";
import { type ExitVerdict, parseRunLog } from "../../src/core/run-record.ts";
import type { IncidentStory } from "../../src/recorder/story.ts";
import type { Crash } from "../../src/supervisor/crashes.ts";
import { TestCgroup, whyNoCgroups } from "../helpers/cgroup.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { incidents } from "../helpers/recorded.ts";
import { exits, json } from "../helpers/results.ts";

// Each kind of end is provoked for real, under one client, and must be told alike by the connection, the run, the
// incident and the crash folder. The out-of-memory killer of a whole machine and systemd-oomd cannot be provoked
// here: src/policy/exit-cause.test.ts has them, on lines as the kernel and the daemon write them.

const MEGABYTE = 1024 * 1024;

/** Small enough to fill fast, large enough for TypeScript to be stripped. */
const HEAP_MB = 64;

/** For a gateway, or for a gateway and its supervisor: one Node takes about 60 MB. */
const CGROUP_BYTES = 192 * MEGABYTE;

const skip = process.platform === "linux" && process.getuid?.() === 0 ? false : "needs Linux and root";
const skipCgroups = skip || (process.env.CI ? false : whyNoCgroups());

/** What a case is given to provoke the end. */
interface Scene {
  readonly pid: number;
  readonly client: TestClient;
}

interface Case {
  readonly provoke: (scene: Scene) => void;
  readonly cause: CauseId;
  readonly kind: string | null;
  readonly code?: number;
  readonly signal?: string;
  readonly by?: EndedBy;
  /** Each must be found in a sentence of the evidence. */
  readonly evidence: readonly RegExp[];
  /** As what the client is told ends. */
  readonly told: RegExp;
  /** Its last words, in output.log. */
  readonly output?: RegExp;
  /** The JavaScript stack in report.json; without it there must be no report. */
  readonly report?: RegExp;
  readonly unknown?: RegExp;
  /** It does not come back by itself. */
  readonly staysAway?: boolean;
  /** Why it is not told so yet. */
}

function asks(text: string): Case["provoke"] {
  return ({ client }) => client.socket.send(text);
}

function sends(signal: NodeJS.Signals): Case["provoke"] {
  return ({ pid }) => void process.kill(pid, signal);
}

const SENDER = /who sent the signal|whether somebody sent the signal/;

const HANGS: Record<string, Case> = {
  "a stopped process": {
    provoke: sends("SIGSTOP"),
    cause: "wedged-process",
    kind: null,
    signal: "SIGKILL",
    by: "supervisor",
    evidence: [/^supervisor: process was stopped \(SIGSTOP\), no answer for \d+ s$/],
    told: /process was stopped \(SIGSTOP\)/,
    unknown: /what it was doing/,
  },
  "a busy loop": {
    provoke: asks("spin"),
    cause: "wedged-process",
    kind: null,
    signal: "SIGTERM",
    by: "supervisor",
    evidence: [
      /^supervisor: hung \(burning CPU\), no answer for 1\d s$/,
      /blocked JavaScript stack is in report\.json/,
    ],
    told: /hung \(burning CPU\)/,
    report: /spinForever .*ends\.ts/,
  },
};

const ENDS: Record<string, Case> = {
  SIGKILL: {
    provoke: sends("SIGKILL"),
    cause: "killed-by-signal",
    kind: "SIGKILL",
    signal: "SIGKILL",
    evidence: [/^ended by SIGKILL$/, /^kernel: its log has no line about the process/],
    told: /killed by SIGKILL/,
    unknown: SENDER,
  },
  SIGTERM: {
    provoke: sends("SIGTERM"),
    cause: "killed-by-signal",
    kind: "SIGTERM",
    signal: "SIGTERM",
    evidence: [/^ended by SIGTERM$/],
    told: /killed by SIGTERM/,
    unknown: SENDER,
  },
  "SIGSEGV from outside": {
    provoke: sends("SIGSEGV"),
    cause: "native-crash",
    kind: "SIGSEGV",
    signal: "SIGSEGV",
    evidence: [/^ended by SIGSEGV$/],
    told: /killed by SIGSEGV/,
    unknown: SENDER,
  },
  "exit 0": {
    provoke: asks("exit 0"),
    cause: "clean-exit",
    kind: null,
    code: 0,
    evidence: [/^exit code 0$/, /^its last line: ready to end$/],
    told: /exited with code 0/,
    unknown: /why it exited/,
  },
  "exit 1 without a word": {
    provoke: asks("exit 1"),
    cause: "unexplained-exit",
    kind: "code-1",
    code: 1,
    evidence: [/^exit code 1$/, /^its last line: ready to end$/],
    told: /exited with code 1/,
    unknown: /why it exited/,
  },
  "exit 78": {
    provoke: asks("exit 78"),
    cause: "config-refused-at-startup",
    kind: null,
    code: 78,
    evidence: [/^exit code 78$/, /^its last line: the port is not set: set it$/],
    told: /refused to start/,
    output: /^the port is not set: set it$/m,
    staysAway: true,
  },
  "process.abort()": {
    provoke: asks("abort"),
    cause: "native-crash",
    kind: "SIGABRT",
    signal: "SIGABRT",
    evidence: [/^ended by SIGABRT$/],
    told: /killed by SIGABRT/,
    unknown: SENDER,
  },
  "an uncaught exception": {
    provoke: asks("throw"),
    cause: "uncaught-exception-crash",
    kind: "uncaught-exception",
    code: 1,
    evidence: [/^Node's diagnostic report: Exception$/, /^error: TypeError: thrown for a test$/],
    told: /exited with code 1/,
    output: /^TypeError: thrown for a test$/m,
    report: /thrown for a test/,
  },
  "an unhandled rejection of an Error": {
    provoke: asks("reject an error"),
    cause: "uncaught-exception-crash",
    kind: "unhandled-rejection",
    code: 1,
    evidence: [/^error: RangeError: rejected for a test$/],
    told: /exited with code 1/,
    output: /^RangeError: rejected for a test$/m,
    report: /rejected for a test/,
  },
  "an unhandled rejection of a string": {
    provoke: asks("reject a string"),
    cause: "uncaught-exception-crash",
    kind: "unhandled-rejection",
    code: 1,
    evidence: [/^it printed: .*UnhandledPromiseRejection/],
    told: /exited with code 1/,
    output: /"just a string"/,
    report: /just a string/,
  },
  "a missing module": {
    provoke: asks("import what is missing"),
    cause: "broken-install",
    kind: "missing-module",
    code: 1,
    evidence: [/^it printed: .*ERR_MODULE_NOT_FOUND/],
    told: /exited with code 1/,
    output: /Cannot find package 'a-module-that-is-not-installed'/,
    report: /a-module-that-is-not-installed/,
  },
  "a taken port": {
    provoke: asks("listen again"),
    cause: "port-conflict",
    kind: null,
    code: 1,
    evidence: [/^it printed: .*EADDRINUSE/],
    told: /exited with code 1/,
    output: /EADDRINUSE: address already in use/,
    report: /EADDRINUSE/,
  },
  "V8's heap limit": {
    provoke: asks("heap"),
    cause: "oom",
    kind: "v8-heap",
    signal: "SIGABRT",
    evidence: [/^ended by SIGABRT$/, /^it printed: .*heap (out of memory|limit)/],
    told: /killed by SIGABRT/,
    output: /JavaScript heap out of memory/,
    // V8 cannot walk JavaScript's stack any more
    report: /./,
  },
};

const CGROUP: Case = {
  provoke: asks("take memory"),
  cause: "oom",
  kind: "cgroup",
  signal: "SIGKILL",
  evidence: [/^ended by SIGKILL$/, /^kernel: Memory cgroup out of memory: Killed process \d+/],
  told: /killed by SIGKILL/,
};

// A hang is mostly waited for: both begin first, and the others run beside them.
describe("an end is told alike by its connection, run, incident and crash folder:", {
  skip,
  concurrency: 3,
  timeout: 150_000,
}, () => {
  for (const [name, expected] of Object.entries({ ...HANGS, ...ENDS })) {
    test(`${name}: ${expected.cause}`, async () => {
      await using clawkit = await runEnds();
      await endAndAssert(clawkit, expected);
    });
  }

  test("a cgroup's limit, around gateway and supervisor: oom", { skip: skipCgroups }, async () => {
    await using cgroup = new TestCgroup(CGROUP_BYTES);
    await using clawkit = await runEnds();
    cgroup.take((await clawkit.status()).supervisor.pid!);
    await exits(0, clawkit.cli("gateway", "restart"));
    const counted = /^cgroup: processes killed for memory went from 0 to 1$/;
    const crash = await endAndAssert(clawkit, { ...CGROUP, evidence: [...CGROUP.evidence, counted] });
    const { before, after } = crash.cgroup;
    assert.deepEqual(
      [before?.path, before?.limitBytes, before?.oomKills, after?.path, after?.oomKills],
      [cgroup.path, CGROUP_BYTES, 0, cgroup.path, 1],
    );
  });

  // The supervisor counts in the group the gateway was born in: here the kernel's log alone tells.
  test("a cgroup's limit, set on a running gateway: oom", { skip: skipCgroups }, async () => {
    await using cgroup = new TestCgroup(CGROUP_BYTES);
    await using clawkit = await runEnds();
    cgroup.take((await clawkit.status()).gateway.pid!);
    await endAndAssert(clawkit, CGROUP);
  });
});

function runEnds(): Promise<TestClawkit> {
  const [node, ...args] = program("ends");
  const command = [node, `--max-old-space-size=${HEAP_MB}`, ...args];
  return TestClawkit.run({
    gateway: { upstream: { type: "command", command } },
    supervisor: { hangRestartSec: 10, stopGraceSec: 1 },
  });
}

/** Ends the gateway under one client and compares all that was recorded; returns the crash. */
async function endAndAssert(clawkit: TestClawkit, expected: Case): Promise<Crash> {
  const before = await clawkit.status();
  const generation = before.gateway.generation!;
  const pid = before.gateway.pid!;
  const client = new TestClient(clawkit.url);
  await client.opened;
  assert.equal(await client.echo("anyone there?"), "anyone there?");

  expected.provoke({ pid, client });
  const seen = await client.ended;
  assert.equal(seen.code, 1012, JSON.stringify(seen));
  assert.match(seen.reason, expected.told);
  if (expected.staysAway) await clawkit.untilStatus(({ state }) => state === "unhealthy");
  else assert.equal((await clawkit.ready()).gateway.generation, generation + 1);

  const { exit, crash: name } = await causeOf(clawkit, generation);
  assertVerdict(exit, expected);
  const story = await storyOnceTold(clawkit, expected);
  assertStory(story, expected, { generation, pid, exit, crash: name!, reason: seen.reason });
  const [incident, ...others] = await incidents(clawkit);
  assert.deepEqual(others, [], "more than one incident");
  assert.deepEqual([incident!.id, incident!.connections], [story.incident.id, 1]);
  return await assertCrash(clawkit, expected, { name: name!, generation, pid, exit });
}

/** What the supervisor wrote into its run log. */
function causeOf(clawkit: TestClawkit, generation: number) {
  return until(async () => {
    const records = parseRunLog(await clawkit.runLog());
    return records.find(
      (record) => record.event === "cause" && record.role === "gateway" && record.generation === generation,
    );
  }) as Promise<{ exit: ExitVerdict; crash?: string }>;
}

/** The recorder writes behind what happens: its story is whole when the outage is over and its client in it. */
function storyOnceTold(clawkit: TestClawkit, { staysAway }: Case): Promise<IncidentStory> {
  return until(async () => {
    const story = json<Partial<IncidentStory>>(await exits(0, clawkit.cli("why", "--json")));
    const { incident } = story;
    if (incident == null || incident.crash === null || story.connections !== 1) return undefined;
    return staysAway || incident.closedAt !== null ? (story as IncidentStory) : undefined;
  });
}

function assertVerdict(exit: ExitVerdict, expected: Case): void {
  const { cause, kind, evidence, unknown } = expected;
  assert.deepEqual([exit.cause, exit.kind], [cause, kind], JSON.stringify(exit));
  assert.equal(exit.verdict, cause === "unexplained-exit" ? "possible" : "confirmed");
  for (const sentence of evidence) {
    assert.ok(
      exit.evidence.some((one) => sentence.test(one)),
      `no ${sentence} in ${JSON.stringify(exit.evidence)}`,
    );
  }
  assert.match(exit.unknown.join("\n"), unknown ?? /^$/);
}

interface Told {
  readonly generation: number;
  readonly pid: number;
  readonly exit: ExitVerdict;
  readonly crash: string;
  readonly reason: string;
}

function assertStory({ incident, ended, told, restarts }: IncidentStory, expected: Case, seen: Told): void {
  const { code = null, signal = null, by = "itself", staysAway = false } = expected;
  const { exit, crash, generation } = seen;

  const { cause, verdict, summary, evidence, unknown } = exit;
  assert.deepEqual(
    { ...incident, id: "", openedAt: 0, closedAt: incident.closedAt !== null, noticedBy: "" },
    {
      ...{ id: "", kind: "outage", role: "gateway", openedAt: 0, closedAt: !staysAway, noticedBy: "" },
      ...{ cause, verdict, summary, evidence, unknown, generation, ends: 1, crash },
    },
  );
  assert.deepEqual(
    [ended?.generation, ended?.pid, ended?.code, ended?.signal, ended?.endedBy, ended?.exit, ended?.crash],
    [generation, seen.pid, code, signal, by, exit, crash],
  );
  assert.ok(ended!.readyAt! > ended!.startedAt && ended!.endedAt! > ended!.readyAt!, "times out of order");
  assert.deepEqual(
    restarts.map((run) => [run.generation, run.readyAt !== null]),
    staysAway ? [] : [[generation + 1, true]],
  );

  const { end } = told!;
  assert.deepEqual(
    [told!.generation, told!.incident, end!.cause, end!.by, end!.code, end!.reason],
    [generation, incident.id, "gateway-ended", "gateway", 1012, seen.reason],
  );
}

async function assertCrash(
  clawkit: TestClawkit,
  expected: Case,
  seen: { name: string; generation: number; pid: number; exit: ExitVerdict },
): Promise<Crash> {
  const { name, generation, pid, exit } = seen;
  const listed = json<Crash[]>(await exits(0, clawkit.cli("crash", "list", "--json")));
  assert.deepEqual(
    listed.map((crash) => crash.name),
    [name],
  );
  const shown = json<Crash & { folder: string; output: string[] }>(
    await exits(0, clawkit.cli("crash", "show", "--json")),
  );
  const { folder, output, ...crash } = shown;
  assert.deepEqual(crash, listed[0]);
  assert.equal(folder, join(statePaths(clawkit.stateDir).crashesDir, name));
  const { code = null, signal = null, by = "itself" } = expected;
  assert.deepEqual(
    [crash.generation, crash.pid, crash.exit, crash.end.code, crash.end.signal, crash.end.by],
    [generation, pid, exit, code, signal, by],
  );
  assert.equal(crash.kernelLogRead, true, "the kernel's log can be read by root");
  // it is looked at when it starts and every 2 s: a short life was seen when it was small
  assert.ok(crash.usage.length > 0 && crash.peakRssBytes! > 0, "nothing was seen while it lived");
  assert.equal(output[0], "ready to end");
  assert.match(output.join("\n"), expected.output ?? /./);

  const files = ["crash.json", "kernel.log", "output.log", ...(expected.report ? ["report.json"] : [])];
  assert.deepEqual((await readdir(folder)).sort(), files);
  if (expected.report !== undefined) {
    const report = JSON.parse(await readFile(join(folder, "report.json"), "utf8"));
    const { message, stack = [] } = report.javascriptStack;
    assert.match([message, ...stack].join("\n"), expected.report);
    assert.equal(report.header.processId, pid);
  }
  return crash;
}
