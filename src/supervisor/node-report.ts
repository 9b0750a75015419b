import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExitFacts } from "../policy/exit-cause.ts";

/** Our own children's reports are collected within moments; what is older is of a child of theirs. */
const STRAY_MS = 10_000;

/** A report of a process with a large heap takes a moment to be written; the process is gone by then. */
const MAX_REPORT_BYTES = 5 * 1024 * 1024;

/** Parts of a report that are not taken over: secrets live in them, or they are long and say nothing. */
const OMITTED = ["environmentVariables", "sharedObjects", "userLimits"];

/**
 * What makes a child that is Node write a diagnostic report when it dies of its own doing, and lets it be asked
 * for its stack when it hangs (on a port the system chooses, and only once it is asked). Other programs ignore
 * the variable. Options that Node 14 knows: an unknown one would keep a child from starting.
 */
export function withReports(nodeOptions: string | undefined, folder: string): string {
  const own = `--report-on-fatalerror --report-uncaught-exception --report-compact --report-directory=${quoted(folder)} --inspect-port=0`;
  if (nodeOptions === undefined || nodeOptions === "") return own;
  // somebody who asks for reports wants them where they said
  return /--report|--inspect/.test(nodeOptions) ? nodeOptions : `${nodeOptions} ${own}`;
}

/** Node splits NODE_OPTIONS at spaces, but for those in double quotes. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/["\\]/g, "\\$&")}"` : path;
}

export type NodeReport = Readonly<Record<string, unknown>>;

/** Takes the report that the process wrote out of the folder. */
export async function collectReport(folder: string, pid: number): Promise<NodeReport | undefined> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const own = names.findLast((name) => name.split(".")[3] === String(pid));
  if (own === undefined) return undefined;
  const report = await readReport(join(folder, own));
  await rm(join(folder, own), { force: true });
  return report;
}

/** Removes reports that nobody collects: there is an environment in them, with whatever secrets. */
export async function removeStrayReports(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && now - facts.mtimeMs > STRAY_MS) await rm(path, { force: true });
  }
}

async function readReport(path: string): Promise<NodeReport | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text.length > MAX_REPORT_BYTES) return undefined;
  return parseReport(text);
}

/** A report without its secrets; undefined if it is not whole. */
export function parseReport(text: string): NodeReport | undefined {
  try {
    const report = JSON.parse(text) as Record<string, unknown>;
    const header = report.header as Record<string, unknown> | undefined;
    const kept = Object.entries(report).filter(([name]) => !OMITTED.includes(name));
    // the command line may hold a token, and the network interfaces say where the machine is
    const { commandLine: _, networkInterfaces: __, ...rest } = header ?? {};
    return { ...Object.fromEntries(kept), header: rest };
  } catch {
    return undefined;
  }
}

/** What a report says about why it was written. */
export function summarizeReport(report: NodeReport): NonNullable<ExitFacts["report"]> {
  const header = (report.header ?? {}) as { trigger?: string; event?: string };
  const stack = (report.javascriptStack ?? {}) as { message?: string; stack?: string[] };
  const first = stack.message === undefined || stack.message === "No stack." ? "" : stack.message;
  return {
    trigger: header.trigger ?? "",
    event: isRejection(report) ? "unhandled promise rejection" : (header.event ?? ""),
    message: first,
  };
}

/** Heap in use when the report was written. */
export function heapOf(report: NodeReport): number | undefined {
  return (report.javascriptHeap as { usedMemory?: number } | undefined)?.usedMemory;
}

/**
 * Node's report calls an unhandled rejection an exception too. The native stack tells them apart: for a rejection
 * JavaScript calls TriggerUncaughtException (a frame of no module, or V8's call from JavaScript, seen in Node 20 and
 * 24); an exception comes from V8's message handler. A module's own top-level error is a rejection by that measure,
 * and an exception to everybody else.
 */
function isRejection(report: NodeReport): boolean {
  const native = report.nativeStack;
  const frames = Array.isArray(native) ? native.map((frame: { symbol?: string }) => frame?.symbol ?? "") : [];
  const at = frames.findIndex((symbol) => symbol.includes("TriggerUncaughtException"));
  const caller = at === -1 ? undefined : frames[at + 1];
  const stack = (report.javascriptStack as { stack?: string[] } | undefined)?.stack ?? [];
  if (caller === undefined || stack.some((line) => line.includes("ModuleJob.run"))) return false;
  // without V8's short builtin calls the frame has a module, and is the last that can be unwound
  const isLast = at + 2 === frames.length;
  return caller.trim() === "" || isLast || caller.includes("FunctionCallbackArguments::Call");
}
