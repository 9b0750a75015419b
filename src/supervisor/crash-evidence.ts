import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { ExitVerdict, Role } from "../core/run-record.ts";
import type { Host } from "../host/types.ts";
import { judgeExit, namesPid } from "../policy/exit-cause.ts";
import type { Child } from "./child.ts";
import { type Crash, crashName, writeCrash } from "./crashes.ts";
import { collectReport, heapOf, type NodeReport, summarizeReport } from "./node-report.ts";
import type { ProcessWatch } from "./process-watch.ts";

export interface EvidenceDeps {
  readonly host: Host;
  readonly log: Log;
  readonly crashesDir: string;
  readonly reportsDir: string;
  /** What must not be written down. */
  readonly secrets: () => readonly string[];
}

export interface EndedProcess {
  readonly role: Role;
  readonly generation: number;
  readonly child: Child;
  readonly command: string;
  readonly configHash: string | undefined;
  readonly watch: ProcessWatch | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly uptimeMs: number;
  readonly end: ProcessEnd;
  readonly wasReady: boolean;
  /** What it was doing when it was asked, before it was ended for not answering. */
  readonly hangReport: NodeReport | undefined;
}

/** Looks at all that an end left behind, judges it, and keeps it in a crash folder. Never rejects. */
export async function keepEvidence(
  ended: EndedProcess,
  deps: EvidenceDeps,
): Promise<{ exit: ExitVerdict; crash?: string }> {
  const { child, watch, end } = ended;
  const pid = child.pid ?? 0;
  const [own, kernelLines, cgroupAfter] = await Promise.all([
    collectReport(deps.reportsDir, pid),
    deps.host.kernelLines(ended.startedAt).catch(() => undefined),
    watch?.cgroupNow(),
  ]);
  const report = ended.hangReport ?? own;
  const kernelAbout = kernelLines?.filter((line) => isAbout(line, pid));
  const cgroupBefore = watch?.cgroupBefore;
  const exit = judgeExit({
    pid,
    end,
    wasReady: ended.wasReady,
    lines: child.lastLines,
    ...(kernelAbout === undefined ? {} : { kernelLines: kernelAbout }),
    ...(report === undefined ? {} : { report: summarizeReport(report) }),
    ...(cgroupBefore?.oomKills === undefined || cgroupAfter?.oomKills === undefined
      ? {}
      : { oomKills: { before: cgroupBefore.oomKills, after: cgroupAfter.oomKills } }),
  });
  const name = crashName(new Date(ended.endedAt), ended.role, ended.generation);
  const crash: Crash = {
    v: 1,
    name,
    role: ended.role,
    generation: ended.generation,
    pid,
    command: ended.command,
    configHash: ended.configHash ?? null,
    endedAt: new Date(ended.endedAt).toISOString(),
    uptimeMs: ended.uptimeMs,
    end,
    exit,
    peakRssBytes: watch?.peakRssBytes ?? null,
    peakHeapBytes: watch?.peakHeapBytes ?? (report === undefined ? null : (heapOf(report) ?? null)),
    usage: watch?.looks ?? [],
    cgroup: { before: cgroupBefore ?? null, after: cgroupAfter ?? null },
    kernelLogRead: kernelLines !== undefined,
  };
  const files = {
    crash,
    output: child.lastLines,
    ...(kernelAbout === undefined ? {} : { kernelLines: kernelAbout }),
    ...(report === undefined ? {} : { report }),
  };
  try {
    await writeCrash(deps.crashesDir, files, deps.secrets());
    return { exit, crash: name };
  } catch (error) {
    deps.log(`cannot keep the evidence of the end: ${messageOf(error)}`);
    return { exit };
  }
}

/** Lines that name the process, and those that name none but tell of memory (systemd-oomd names cgroups). */
function isAbout(line: string, pid: number): boolean {
  return namesPid(line, pid) || /systemd-oomd/i.test(line);
}
