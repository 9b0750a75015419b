import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "./process-tree.ts";

/** How long a child may take to leave after SIGTERM, in ms; all of ours leave in a few. */
const GRACE_MS = 2_000;
/** How much of a child's output is kept for an error message, in characters. */
const TAIL_CHARS = 4_000;

export interface ChildOptions {
  /** What the child is called in error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
  /** The last of what it wrote to stderr and stdout, for error messages. */
  tail(): string;
  /** Resolves with the first stdout line that `matches`; rejects if the child ends before it. */
  line(matches: (line: string) => boolean, signal: AbortSignal): Promise<string>;
  /** Ends the child and whatever it started: SIGTERM, then SIGKILL to each by its pid. */
  stop(): Promise<void>;
}

const living = new Set<number>();
process.on("exit", () => {
  for (const pid of living) killTree(pid);
});

/** Starts a program whose stdin is a pipe (our children leave when it closes). */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args } = options;
  const child = spawn(command, args, { stdio: "pipe", env: { ...process.env, ...options.env } });
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const lines = collectLines(child);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(new Error(`Cannot start ${name} (${command})`, { cause })));
  });
  const pid = child.pid as number;
  living.add(pid);
  exited.then(() => living.delete(pid));
  child.stdin.on("error", () => {}); // EPIPE when it has left: the exit tells the story

  return {
    name,
    pid,
    process: child,
    exited,
    hasExited: () => hasExited(child),
    tail: lines.tail,
    line: (matches, signal) =>
      Promise.race([
        lines.first(matches, signal),
        exited.then(({ code, signal: killer }) => {
          throw new Error(`${name} ended early (${killer ?? `exit ${code}`}): ${lines.tail()}`);
        }),
      ]),
    stop: () => stop(child, exited),
  };
}

async function stop(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  if (hasExited(child)) return;
  const pids = processTree(child.pid as number);
  child.kill("SIGTERM");
  const grace = new AbortController();
  const left = await Promise.race([
    exited.then(() => true),
    sleep(GRACE_MS, false, { signal: grace.signal }).catch(() => false),
  ]);
  grace.abort();
  if (left) return;
  for (const pid of pids) kill(pid);
  await exited;
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killTree(pid: number): void {
  for (const each of processTree(pid)) kill(each);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has left by itself
  }
}

function collectLines(child: ChildProcess) {
  const seen: string[] = [];
  const waiting = new Set<(line: string) => void>();
  let tail = "";
  let rest = "";
  const keep = (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARS);
  };
  child.stderr?.setEncoding("utf8").on("data", keep);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    keep(text);
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      seen.push(line);
      if (seen.length > 100) seen.shift();
      for (const offer of waiting) offer(line);
    }
  });
  return {
    tail: () => tail.trim() || "(no output)",
    first: (matches: (line: string) => boolean, signal: AbortSignal) =>
      new Promise<string>((resolve, reject) => {
        const found = seen.find(matches);
        if (found !== undefined) return resolve(found);
        signal.throwIfAborted();
        const signalOnAbort = () => finish(() => reject(signal.reason));
        const offer = (line: string) => {
          if (matches(line)) finish(() => resolve(line));
        };
        const finish = (settle: () => void) => {
          waiting.delete(offer);
          signal.removeEventListener("abort", signalOnAbort);
          settle();
        };
        waiting.add(offer);
        signal.addEventListener("abort", signalOnAbort, { once: true });
      }),
  };
}
