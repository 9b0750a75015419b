import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CauseId, Verdict } from "../core/causes.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import { type ExitFacts, judgeExit } from "./exit-cause.ts";

// The rows of docs/causes.md, "How the end of a process is told apart". That they come out so for real is tested in
// test/system/causes.test.ts, but for two kinds that cannot be provoked there: the out-of-memory killer of a whole
// machine and systemd-oomd. They stand here alone, on lines as the kernel and the daemon write them.

const PID = 4242;

function code(exitCode: number): ProcessEnd {
  return { code: exitCode, signal: null, by: "itself" };
}

function signal(name: string): ProcessEnd {
  return { code: null, signal: name, by: "itself" };
}

function judge(end: ProcessEnd, facts: Partial<ExitFacts> = {}) {
  return judgeExit({ pid: PID, end, wasReady: true, lines: [], ...facts });
}

/** Cause, kind and verdict in one line, as a person would say them. */
function said(end: ProcessEnd, facts: Partial<ExitFacts> = {}): string {
  const { cause, kind, verdict } = judge(end, facts);
  return [cause, ...(kind === null ? [] : [kind]), verdict].join(", ");
}

/** What Linux 6.x logs for one process that it kills for memory, in its order. */
function killed(pid: number, name: string, limit: "machine" | "cgroup", uid = 0): string[] {
  const isCgroup = limit === "cgroup";
  const constraint = isCgroup
    ? "CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/docker/3f4e,task_memcg=/docker/3f4e"
    : "CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice";
  return [
    `oom-kill:constraint=${constraint},task=${name},pid=${pid},uid=${uid}`,
    `${isCgroup ? "Memory cgroup out of memory" : "Out of memory"}: Killed process ${pid} (${name}) total-vm:1504672kB, anon-rss:96304kB, file-rss:34948kB, shmem-rss:0kB, UID:${uid} pgtables:732kB oom_score_adj:0`,
  ];
}

const reaped = (pid: number, name: string) =>
  `oom_reaper: reaped process ${pid} (${name}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`;

const OOMD =
  "Nov 22 14:03:22 web1 systemd-oomd[612]: Killed /user.slice/user-1000.slice/user@1000.service/app.slice/gateway.service due to memory pressure for /user.slice/user-1000.slice/user@1000.service being 63.12% > 50.00% for > 20s with reclaim activity";

const SEGFAULT = `node[${PID}]: segfault at 0 ip 00007f3e7bf85ad8 sp 00007ffd7c5883b8 error 4 in node[167ad8,7f3e7be44000+156000] likely on CPU 1 (core 1, socket 0)`;
const PROTECTION = `traps: node[${PID}] general protection fault ip:5590a1 sp:7ffd7c error:0 in node[5590a0000+1000]`;
const OPCODE = `traps: node[${PID}] trap invalid opcode ip:13b4de5 sp:7ffd7c error:0 in node[400000+2f2e000]`;

const HEAP_WORDS = [
  "<--- Last few GCs --->",
  "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
  "----- Native stack trace -----",
  " 1: 0xe35c3e node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]",
];

const HEAP_REPORT = {
  trigger: "OOMError",
  event: "Allocation failed - JavaScript heap out of memory",
  message: "",
};

const NODE_THREW = [
  "/srv/gateway.js:3",
  "    throw new Error('boom');",
  "Error: boom",
  "    at Timeout._onTimeout (/srv/gateway.js:3:11)",
  "",
  "Node.js v24.21.0",
];

type Row = readonly [
  what: string,
  end: ProcessEnd,
  facts: Partial<ExitFacts>,
  cause: CauseId,
  kind: string | null,
  verdict: Verdict,
];

const NO_LINES = { kernelLines: [] };

const ROWS: readonly Row[] = [
  ["exit 78", code(78), {}, "config-refused-at-startup", null, "confirmed"],
  ["exit 78 with words", code(78), { lines: ["EADDRINUSE"] }, "config-refused-at-startup", null, "confirmed"],
  ["exit 0", code(0), {}, "clean-exit", null, "confirmed"],

  ["SIGABRT with V8's words", signal("SIGABRT"), { lines: HEAP_WORDS }, "oom", "v8-heap", "confirmed"],
  ["134 with V8's words", code(134), { lines: HEAP_WORDS }, "oom", "v8-heap", "confirmed"],
  ["SIGABRT with V8's report", signal("SIGABRT"), { report: HEAP_REPORT }, "oom", "v8-heap", "confirmed"],
  ["134 with V8's report", code(134), { report: HEAP_REPORT }, "oom", "v8-heap", "confirmed"],

  [
    "SIGKILL, machine's memory",
    signal("SIGKILL"),
    { kernelLines: killed(PID, "node", "machine") },
    "oom",
    "kernel",
    "confirmed",
  ],
  [
    "137, machine's memory",
    code(137),
    { kernelLines: killed(PID, "node", "machine") },
    "oom",
    "kernel",
    "confirmed",
  ],
  [
    "machine's memory, reaped",
    signal("SIGKILL"),
    { kernelLines: [...killed(PID, "node", "machine"), reaped(PID, "node")] },
    "oom",
    "kernel",
    "confirmed",
  ],
  [
    "SIGKILL, cgroup's memory",
    signal("SIGKILL"),
    { kernelLines: killed(PID, "MainThread", "cgroup") },
    "oom",
    "cgroup",
    "confirmed",
  ],
  [
    "137, cgroup's memory",
    code(137),
    { kernelLines: killed(PID, "node", "cgroup") },
    "oom",
    "cgroup",
    "confirmed",
  ],
  [
    "cgroup's memory, line and count",
    signal("SIGKILL"),
    { kernelLines: killed(PID, "node", "cgroup"), oomKills: { before: 3, after: 4 } },
    "oom",
    "cgroup",
    "confirmed",
  ],
  [
    "SIGKILL, only the count went up",
    signal("SIGKILL"),
    { ...NO_LINES, oomKills: { before: 0, after: 1 } },
    "oom",
    "cgroup",
    "likely",
  ],
  [
    "only the count, no kernel log",
    signal("SIGKILL"),
    { oomKills: { before: 0, after: 1 } },
    "oom",
    "cgroup",
    "likely",
  ],
  ["SIGKILL, systemd-oomd", signal("SIGKILL"), { kernelLines: [OOMD] }, "oom", "systemd-oomd", "likely"],
  ["SIGKILL, no line", signal("SIGKILL"), NO_LINES, "killed-by-signal", "SIGKILL", "confirmed"],
  ["137, no line", code(137), NO_LINES, "killed-by-signal", "SIGKILL", "confirmed"],
  ["SIGKILL, kernel log not readable", signal("SIGKILL"), {}, "killed-by-signal", "SIGKILL", "likely"],
  [
    "SIGKILL, no log, count unchanged",
    signal("SIGKILL"),
    { oomKills: { before: 2, after: 2 } },
    "killed-by-signal",
    "SIGKILL",
    "confirmed",
  ],

  ...["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"].map(
    (name): Row => [name, signal(name), {}, "killed-by-signal", name, "confirmed"],
  ),
  ["129, SIGHUP in a shell", code(129), {}, "killed-by-signal", "SIGHUP", "confirmed"],
  ["130, SIGINT in a shell", code(130), {}, "killed-by-signal", "SIGINT", "confirmed"],
  ["143, SIGTERM in a container", code(143), {}, "killed-by-signal", "SIGTERM", "confirmed"],

  ...["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS"].map(
    (name): Row => [name, signal(name), {}, "native-crash", name, "confirmed"],
  ),
  ["132, SIGILL", code(132), {}, "native-crash", "SIGILL", "confirmed"],
  ["134, SIGABRT", code(134), {}, "native-crash", "SIGABRT", "confirmed"],
  ["135, SIGBUS", code(135), {}, "native-crash", "SIGBUS", "confirmed"],
  ["136, SIGFPE", code(136), {}, "native-crash", "SIGFPE", "confirmed"],
  ["139, SIGSEGV", code(139), {}, "native-crash", "SIGSEGV", "confirmed"],

  [
    "EADDRINUSE",
    code(1),
    {
      lines: ["Error: listen EADDRINUSE: address already in use 127.0.0.1:18789", ...NODE_THREW.slice(3)],
    },
    "port-conflict",
    null,
    "confirmed",
  ],
  [
    "another gateway",
    code(1),
    { lines: ["another gateway instance is already listening on ws://127.0.0.1:18789"] },
    "port-conflict",
    null,
    "confirmed",
  ],
  [
    "ERR_MODULE_NOT_FOUND",
    code(1),
    {
      lines: [
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'ws' imported from /srv/gateway.js",
        "Node.js v24.21.0",
      ],
    },
    "broken-install",
    "missing-module",
    "confirmed",
  ],
  [
    "CommonJS module",
    code(1),
    { lines: ["Error: Cannot find module './lib/server'", "Require stack:", "- /srv/gateway.js"] },
    "broken-install",
    "missing-module",
    "confirmed",
  ],
  [
    "ENOSPC",
    code(1),
    { lines: ["Error: ENOSPC: no space left on device, write"] },
    "disk-full",
    null,
    "confirmed",
  ],
  [
    "OpenClaw's config",
    code(1),
    { lines: ["Invalid config at /root/.openclaw/openclaw.json"] },
    "config-invalid",
    null,
    "confirmed",
  ],

  [
    "Node's last words",
    code(1),
    { lines: NODE_THREW },
    "uncaught-exception-crash",
    "uncaught-exception",
    "confirmed",
  ],
  [
    "Node's report of an exception",
    code(1),
    { report: { trigger: "Exception", event: "Exception", message: "Error: boom" } },
    "uncaught-exception-crash",
    "uncaught-exception",
    "confirmed",
  ],
  [
    "Node's report of a rejection",
    code(1),
    {
      lines: NODE_THREW,
      report: { trigger: "Exception", event: "unhandled promise rejection", message: "Error: boom" },
    },
    "uncaught-exception-crash",
    "unhandled-rejection",
    "confirmed",
  ],
  [
    "OpenClaw's own handler",
    code(1),
    { lines: ["[openclaw] Unhandled promise rejection: TypeError: fetch failed"] },
    "uncaught-exception-crash",
    "unhandled-rejection",
    "confirmed",
  ],
  [
    "an own handler of exceptions",
    code(1),
    { lines: ["[openclaw] Uncaught exception: RangeError: no"] },
    "uncaught-exception-crash",
    "uncaught-exception",
    "confirmed",
  ],

  ["an error code alone", code(1), {}, "unexplained-exit", "code-1", "possible"],
  ["an error code, chatter", code(3), { lines: ["bye"] }, "unexplained-exit", "code-3", "possible"],

  [
    "ended as it did not answer",
    { code: null, signal: "SIGKILL", by: "supervisor", why: "hung (burning CPU), no answer for 30 s" },
    { kernelLines: killed(PID, "node", "machine"), lines: HEAP_WORDS },
    "wedged-process",
    null,
    "confirmed",
  ],
  [
    "ended as its operator asked",
    { code: 1, signal: null, by: "operator" },
    { lines: NODE_THREW },
    "planned-stop",
    null,
    "confirmed",
  ],
  [
    "a program that is not there",
    { code: null, signal: null, by: "itself", startError: "spawn nope ENOENT" },
    {},
    "broken-install",
    "missing-program",
    "confirmed",
  ],
  [
    "a program that may not run",
    { code: null, signal: null, by: "itself", startError: "spawn /srv/gateway EACCES" },
    {},
    "start-failed",
    null,
    "confirmed",
  ],
];

describe("the end of a process is told apart:", () => {
  for (const [what, end, facts, cause, kind, verdict] of ROWS) {
    const label = [cause, ...(kind === null ? [] : [kind]), verdict].join(", ");
    test(`${what}: ${label}`, () => assert.equal(said(end, facts), label));
  }
});

describe("a kernel line counts only for the process it names:", () => {
  const others: Record<string, number> = { "a pid that contains ours": 14242, "one we contain": 424 };
  others["one that begins like ours"] = 42423;
  for (const [what, other] of Object.entries(others)) {
    test(`${what} was killed for memory, ours by somebody`, () => {
      const kernelLines = killed(other, "node", "machine");
      assert.equal(said(signal("SIGKILL"), { kernelLines }), "killed-by-signal, SIGKILL, confirmed");
    });
  }

  test("another pid's segfault is no evidence of ours", () => {
    const kernelLines = [SEGFAULT.replace(`${PID}`, `1${PID}`)];
    const { evidence, unknown } = judge(signal("SIGSEGV"), { kernelLines });
    assert.deepEqual(evidence, ["ended by SIGSEGV"]);
    assert.match(unknown[0]!, /the kernel's log has no line about it/);
  });

  test("ours among others is found", () => {
    const kernelLines = [...killed(PID, "node", "cgroup"), ...killed(14242, "python3", "machine")];
    assert.equal(said(signal("SIGKILL"), { kernelLines }), "oom, cgroup, confirmed");
  });

  // In a container pids are small, and users and sizes are numbers too.
  test("our pid as another process's user or size is not ours", {}, () => {
    const kernelLines = killed(777, "chrome", "machine", 1000);
    assert.equal(said(signal("SIGKILL"), { pid: 1000, kernelLines }), "killed-by-signal, SIGKILL, confirmed");
  });
});

describe("the oom killer's lines come in any number:", () => {
  // `oom_reaper: reaped process …` comes last and does not say whose limit it was.
  test("a reaper's line behind the kill does not hide that the limit was the cgroup's", {}, () => {
    const kernelLines = [...killed(PID, "node", "cgroup"), reaped(PID, "node")];
    assert.equal(said(signal("SIGKILL"), { kernelLines }), "oom, cgroup, confirmed");
  });

  test("the verdict quotes the kernel", () => {
    const kernelLines = killed(PID, "node", "machine");
    assert.deepEqual(judge(signal("SIGKILL"), { kernelLines }).evidence, [
      "ended by SIGKILL",
      `kernel: ${kernelLines.at(-1)}`,
    ]);
  });
});

describe("V8's words count only for an abort:", () => {
  for (const name of ["SIGTERM", "SIGKILL"]) {
    test(`${name} behind a worker that ran out of its heap is ${name}`, {}, () => {
      assert.equal(
        said(signal(name), { lines: HEAP_WORDS, kernelLines: [] }),
        `killed-by-signal, ${name}, confirmed`,
      );
    });
  }
});

describe("a native crash quotes the kernel's line:", () => {
  const lines = { SIGSEGV: SEGFAULT, SIGBUS: PROTECTION, SIGILL: OPCODE };
  for (const [name, line] of Object.entries(lines)) {
    test(name, () => {
      const { evidence, unknown } = judge(signal(name), { kernelLines: ["unrelated", line] });
      assert.deepEqual(evidence, [`ended by ${name}`, `kernel: ${line}`]);
      assert.deepEqual(unknown, [
        "whether somebody sent the signal on purpose: the system does not record the sender",
      ]);
    });
  }
});

describe("a verdict says what it rests on, and what could not be known:", () => {
  const sender = "who sent the signal: the system does not record the sender";

  test("SIGKILL, the kernel's log without a line about it", () => {
    const { evidence, unknown } = judge(signal("SIGKILL"), NO_LINES);
    assert.deepEqual(evidence, [
      "ended by SIGKILL",
      "kernel: its log has no line about the process, so it was not the OOM killer",
    ]);
    assert.deepEqual(unknown, [sender]);
  });

  test("SIGKILL, the kernel's log not readable: likely, and it says so", () => {
    const { verdict, evidence, unknown } = judge(signal("SIGKILL"));
    assert.equal(verdict, "likely");
    assert.deepEqual(evidence, ["ended by SIGKILL"]);
    assert.deepEqual(unknown, [sender, "whether the kernel's OOM killer did it: its log could not be read"]);
  });

  test("only the cgroup's count went up", () => {
    const { evidence, unknown } = judge(signal("SIGKILL"), { oomKills: { before: 3, after: 5 } });
    assert.deepEqual(evidence, ["ended by SIGKILL", "cgroup: processes killed for memory went from 3 to 5"]);
    assert.match(unknown.join(), /whether it was this process/);
  });

  test("systemd-oomd is quoted", () => {
    assert.ok(judge(signal("SIGKILL"), { kernelLines: [OOMD] }).evidence.includes(`systemd-oomd: ${OOMD}`));
  });

  test("SIGTERM: nobody knows the sender", () => {
    assert.deepEqual(judge(signal("SIGTERM")).unknown, [sender]);
  });

  test("exit 0: the last line, or that there was none", () => {
    assert.deepEqual(judge(code(0), { lines: ["bye ", " "] }).evidence, [
      "exit code 0",
      "its last line: bye",
    ]);
    assert.deepEqual(judge(code(0)).evidence, ["exit code 0", "it printed nothing"]);
  });

  test("exit 78: what it refused to start for", () => {
    const { evidence } = judge(code(78), { lines: ["auth.token is missing"] });
    assert.deepEqual(evidence, ["exit code 78", "its last line: auth.token is missing"]);
  });

  test("an exception: the error, from the report", () => {
    const report = { trigger: "Exception", event: "Exception", message: "TypeError: x is not a function" };
    assert.deepEqual(judge(code(7), { report }).evidence, [
      "exit code 7",
      "Node's diagnostic report: Exception",
      "error: TypeError: x is not a function",
    ]);
  });

  test("an exception without a report: the error, from its last words", () => {
    assert.deepEqual(judge(code(1), { lines: NODE_THREW }).evidence, ["exit code 1", "error: Error: boom"]);
  });

  const hung: ProcessEnd = {
    code: null,
    signal: "SIGTERM",
    by: "supervisor",
    why: "hung (burning CPU), no answer for 30 s",
  };
  test("a hang, with the stack of the blocked JavaScript", () => {
    const report = {
      trigger: "GetReport",
      event: "JavaScript API",
      message: "Error: stack of the blocked JavaScript",
    };
    const { evidence, unknown } = judge(hung, { report });
    assert.equal(evidence[0], "supervisor: hung (burning CPU), no answer for 30 s");
    assert.match(evidence[1]!, /blocked JavaScript stack is in report\.json/);
    assert.deepEqual(unknown, []);
  });

  test("a hang of a process that could not be asked", () => {
    assert.deepEqual(judge(hung).unknown, ["what it was doing: it wrote no diagnostic report"]);
  });
});
