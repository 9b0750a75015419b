import type { CauseId, Verdict } from "../core/causes.ts";
import { EXIT_REFUSED, type ProcessEnd } from "../core/process-end.ts";
import type { ExitVerdict } from "../core/run-record.ts";

/** What is known about the end of one process. An absent part could not be looked at; an empty one was. */
export interface ExitFacts {
  readonly pid: number;
  readonly end: ProcessEnd;
  readonly wasReady: boolean;
  /** The last lines of its own output. */
  readonly lines: readonly string[];
  /** Lines of the kernel's log, and of systemd-oomd's, since it started. */
  readonly kernelLines?: readonly string[];
  /** Processes that the kernel killed in its cgroup, before it started and after it ended. */
  readonly oomKills?: { readonly before: number; readonly after: number };
  /** What Node's diagnostic report says about a death of its own making. */
  readonly report?: { readonly trigger: string; readonly event: string; readonly message: string };
}

/** Exit codes of a shell or container that reports a signal: 128 + its number. */
const SIGNAL_CODES: Readonly<Record<number, string>> = {
  129: "SIGHUP",
  130: "SIGINT",
  131: "SIGQUIT",
  132: "SIGILL",
  133: "SIGTRAP",
  134: "SIGABRT",
  135: "SIGBUS",
  136: "SIGFPE",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

const FAULTS = new Set(["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGABRT", "SIGSYS"]);

/** How V8 ends its process: abort(), or a trap instruction in some builds. */
const V8_ABORTS = new Set(["SIGABRT", "SIGTRAP", "SIGILL"]);

/** What programs print before they give up, most telling first. */
const WORDS: readonly { pattern: RegExp; cause: CauseId; kind: string | null; summary: string }[] = [
  {
    pattern:
      /EADDRINUSE|address already in use|(another gateway instance is )?already listening on|gateway already running/i,
    cause: "port-conflict",
    kind: null,
    summary: "its port was taken by another process",
  },
  {
    pattern: /ERR_MODULE_NOT_FOUND|Cannot find (module|package) /,
    cause: "broken-install",
    kind: "missing-module",
    summary: "a module it needs is missing",
  },
  {
    pattern: /\bENOSPC\b|no space left on device/i,
    cause: "disk-full",
    kind: null,
    summary: "the disk was full",
  },
  {
    pattern: /Invalid config at|Config(uration)? (is )?invalid|Unrecognized key/i,
    cause: "config-invalid",
    kind: null,
    summary: "its config is not valid",
  },
  {
    pattern: /unhandled ?(promise ?)?rejection/i,
    cause: "uncaught-exception-crash",
    kind: "unhandled-rejection",
    summary: "a promise rejection that nobody handled ended it",
  },
  {
    pattern: /uncaught ?exception/i,
    cause: "uncaught-exception-crash",
    kind: "uncaught-exception",
    summary: "an exception that nobody caught ended it",
  },
];

/** Lines beside a report that may name what it names, in other words. */
const LAST_WORDS = 15;

const STACK_FRAME = /^\s*at /;

/** The line Node prints last before it exits for an error that nobody caught. */
const NODE_SAID_GOODBYE = /^Node\.js v\d+\.\d+/;

/** Says why a process ended, and how sure that is. */
export function judgeExit(facts: ExitFacts): ExitVerdict {
  const { end } = facts;
  if (end.startError !== undefined) {
    const isMissing = /\bENOENT\b/.test(end.startError);
    return verdict(isMissing ? "broken-install" : "start-failed", "confirmed", {
      kind: isMissing ? "missing-program" : null,
      summary: `the system could not start it: ${end.startError}`,
      evidence: [`spawn failed: ${end.startError}`],
    });
  }
  if (end.by === "operator") {
    return verdict("planned-stop", "confirmed", {
      summary: "its operator asked for it",
      evidence: [exitOf(facts)],
    });
  }
  if (end.by === "supervisor") return judgeHang(facts);
  const signal = end.signal ?? (end.code === null ? undefined : SIGNAL_CODES[end.code]);
  if (signal !== undefined) return judgeSignal(facts, signal);
  return judgeCode(facts);
}

function judgeHang(facts: ExitFacts): ExitVerdict {
  const why = facts.end.why ?? "it did not answer";
  const stack =
    facts.report === undefined
      ? []
      : [`its blocked JavaScript stack is in report.json: ${facts.report.message}`];
  return verdict("wedged-process", "confirmed", {
    kind: null,
    summary: `its supervisor ended it: ${why}`,
    evidence: [`supervisor: ${why}`, ...stack],
    unknown: facts.report === undefined ? ["what it was doing: it wrote no diagnostic report"] : [],
  });
}

function judgeSignal(facts: ExitFacts, signal: string): ExitVerdict {
  const heap = V8_ABORTS.has(signal) ? heapLine(facts) : undefined;
  if (heap !== undefined) {
    return verdict("oom", "confirmed", {
      kind: "v8-heap",
      summary: "V8 reached its heap limit and aborted",
      evidence: [exitOf(facts), heap],
    });
  }
  if (signal === "SIGKILL") return judgeKill(facts);
  if (FAULTS.has(signal)) {
    const said = kernelLineAbout(facts, /segfault|general protection|traps:|invalid opcode|divide error/i);
    return verdict("native-crash", "confirmed", {
      kind: signal,
      summary: `it crashed outside JavaScript (${signal})`,
      evidence: [exitOf(facts), ...(said === undefined ? [] : [`kernel: ${said}`])],
      unknown: [
        ...(said === undefined ? ["which code crashed: the kernel's log has no line about it"] : []),
        "whether somebody sent the signal on purpose: the system does not record the sender",
      ],
    });
  }
  return verdict("killed-by-signal", "confirmed", {
    kind: signal,
    summary: `a person or program sent it ${signal}`,
    evidence: [exitOf(facts)],
    unknown: ["who sent the signal: the system does not record the sender"],
  });
}

/** SIGKILL leaves no words of the victim's own: the kernel's and the cgroup's decide. */
function judgeKill(facts: ExitFacts): ExitVerdict {
  const evidence = [exitOf(facts)];
  const killed = kernelLineAbout(facts, /Killed process/i) ?? kernelLineAbout(facts, /oom-kill|oom_reaper/i);
  const { oomKills } = facts;
  const counted = oomKills !== undefined && oomKills.after > oomKills.before;
  if (counted) {
    evidence.push(`cgroup: processes killed for memory went from ${oomKills.before} to ${oomKills.after}`);
  }
  if (killed !== undefined) {
    // the kernel's words decide; its count also goes up when the whole machine is out of memory
    const isMachine = /(?<!memory cgroup )out of memory: killed/i.test(killed);
    const isCgroup = !isMachine && (counted || /memory cgroup|CONSTRAINT_MEMCG/i.test(killed));
    return verdict("oom", "confirmed", {
      kind: isCgroup ? "cgroup" : "kernel",
      summary: isCgroup
        ? "the kernel killed it, as its cgroup (container, service) was at its memory limit"
        : "the kernel killed it, as the machine was out of memory",
      evidence: [...evidence, `kernel: ${killed}`],
    });
  }
  if (counted) {
    return verdict("oom", "likely", {
      kind: "cgroup",
      summary: "the kernel killed it, as its cgroup (container, service) was at its memory limit",
      evidence,
      unknown: ["whether it was this process that was killed: the kernel's log has no line about it"],
    });
  }
  const oomd = facts.kernelLines?.find((line) => /systemd-oomd.*\bKilled\b/i.test(line));
  if (oomd !== undefined) {
    return verdict("oom", "likely", {
      kind: "systemd-oomd",
      summary: "systemd-oomd killed its cgroup, as memory was under pressure",
      evidence: [...evidence, `systemd-oomd: ${oomd}`],
    });
  }
  const looked = facts.kernelLines !== undefined;
  const unknown = ["who sent the signal: the system does not record the sender"];
  if (looked) evidence.push("kernel: its log has no line about the process, so it was not the OOM killer");
  else unknown.push("whether the kernel's OOM killer did it: its log could not be read");
  return verdict("killed-by-signal", looked || oomKills !== undefined ? "confirmed" : "likely", {
    kind: "SIGKILL",
    summary: "a person or program killed it (SIGKILL)",
    evidence,
    unknown,
  });
}

function judgeCode(facts: ExitFacts): ExitVerdict {
  const { end, lines, report } = facts;
  const evidence = [exitOf(facts)];
  if (end.code === EXIT_REFUSED) {
    return verdict("config-refused-at-startup", "confirmed", {
      summary: "it refused to start",
      evidence: [...evidence, ...lastWords(lines)],
    });
  }
  if (end.code === 0) {
    return verdict("clean-exit", "confirmed", {
      summary: "it exited with code 0 without being asked",
      evidence: [...evidence, ...lastWords(lines)],
      unknown: ["why it exited: a clean exit leaves no error"],
    });
  }
  // what ended it stands in the report; without one, anything it printed may have
  const words = report?.trigger === "Exception" ? [...lines.slice(-LAST_WORDS), report.message] : lines;
  for (const { pattern, cause, kind, summary } of WORDS) {
    const line = words.findLast((text) => pattern.test(text) && !STACK_FRAME.test(text));
    if (line === undefined) continue;
    return verdict(cause, "confirmed", {
      kind,
      summary,
      evidence: [...evidence, `it printed: ${line.trim()}`],
    });
  }
  const goodbye = lines.slice(-3).some((line) => NODE_SAID_GOODBYE.test(line));
  if (report?.trigger === "Exception" || goodbye) {
    const isRejection = report !== undefined && /rejection/i.test(`${report.event} ${report.message}`);
    const message = report?.message ?? errorLine(lines);
    return verdict("uncaught-exception-crash", "confirmed", {
      kind: isRejection ? "unhandled-rejection" : "uncaught-exception",
      summary: isRejection
        ? "a promise rejection that nobody handled ended it"
        : "an exception that nobody caught ended it",
      evidence: [
        ...evidence,
        ...(report === undefined ? [] : [`Node's diagnostic report: ${report.event}`]),
        ...(message === undefined ? [] : [`error: ${message}`]),
      ],
    });
  }
  return verdict("unexplained-exit", "possible", {
    kind: `code-${end.code}`,
    summary: `it exited with code ${end.code} and did not say why`,
    evidence: [...evidence, ...lastWords(lines)],
    unknown: ["why it exited: neither its output nor a report says so"],
  });
}

function heapLine(facts: ExitFacts): string | undefined {
  const line = facts.lines.findLast((text) => /heap out of memory|Reached heap limit/i.test(text));
  if (line !== undefined) return `it printed: ${line.trim()}`;
  const { report } = facts;
  if (report === undefined || !/heap out of memory|heap limit/i.test(`${report.event} ${report.message}`))
    return undefined;
  return `Node's diagnostic report: ${report.event}`;
}

/** The kernel writes `process 123`, `pid=123` or `node[123]`; any other 123 is a user, an address or a size. */
export function namesPid(line: string, pid: number): boolean {
  return new RegExp(`(?:\\bprocess |\\bpid[=: ]|\\[)${pid}(?!\\d)`, "i").test(line);
}

function kernelLineAbout({ kernelLines, pid }: ExitFacts, pattern: RegExp): string | undefined {
  return kernelLines?.findLast((line) => namesPid(line, pid) && pattern.test(line));
}

function exitOf({ end }: ExitFacts): string {
  return end.signal === null ? `exit code ${end.code}` : `ended by ${end.signal}`;
}

function lastWords(lines: readonly string[]): string[] {
  const last = lines.findLast((line) => line.trim() !== "");
  return last === undefined ? ["it printed nothing"] : [`its last line: ${last.trim()}`];
}

function errorLine(lines: readonly string[]): string | undefined {
  return lines
    .findLast((line) => /^(\[?[A-Z]\w*(Error|Exception)\b|Error\b|Uncaught)/.test(line.trim()))
    ?.trim();
}

function verdict(
  cause: CauseId,
  sureness: Verdict,
  rest: {
    readonly kind?: string | null;
    readonly summary: string;
    readonly evidence: readonly string[];
    readonly unknown?: readonly string[];
  },
): ExitVerdict {
  const { kind = null, summary, evidence, unknown = [] } = rest;
  return { cause, kind, verdict: sureness, summary, evidence, unknown };
}
