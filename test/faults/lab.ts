import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { delimiter } from "node:path";
import { hostFor } from "../../src/host/index.ts";
import { type CommandResult, collect, until } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { NO_ENGINE } from "../helpers/machine.ts";
import type { TestHost } from "../helpers/network.ts";
import { isAlive, untilGone } from "../helpers/processes.ts";
import type { DoctorCall } from "./fault.ts";

/** What of `doctor --json` the laboratory looks at. */
export interface DoctorReport {
  readonly ok: boolean;
  readonly verdict: string;
  readonly causes: readonly {
    readonly id: string;
    readonly verdict: "confirmed" | "likely" | "possible" | "ruled out";
  }[];
  readonly facts: readonly { readonly id: string; readonly detail: string; readonly source: string }[];
  readonly notLooked: readonly { readonly id: string; readonly why: string }[];
  readonly findings: readonly unknown[];
}

export interface Examination {
  readonly code: number | null;
  readonly ms: number;
  readonly report: DoctorReport;
}

/** The doctor's own bound is 2 s; after a repair, or an adoption, it waits until a gateway is there. */
const COMMAND_MS = 300_000;

/** A machine of its own, as far as a folder makes one: what is started or mounted here ends with it. */
export abstract class Lab implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  /** The environment of a person at this machine. */
  abstract get env(): Record<string, string>;

  /** Ends all that runs on this machine: nothing can be unmounted or removed before. */
  protected abstract endProcesses(): Promise<void>;

  /** How a command is run on this machine. */
  protected wrapped(command: readonly string[]): readonly string[] {
    return command;
  }

  /** Ends it with the laboratory, the last one first. */
  use<T extends Disposable | AsyncDisposable>(one: T): T {
    return this.#ends.use(one);
  }

  defer(end: () => void | Promise<void>): void {
    this.#ends.defer(end);
  }

  /** Starts a program, which is ended with the laboratory. */
  spawn(
    command: readonly string[],
    options: { env?: Record<string, string>; at?: TestHost } = {},
  ): ChildProcess {
    const child = this.#start(command, { ...this.env, ...options.env }, options.at);
    // nobody reads a pipe that nobody waits on
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    this.defer(() => void child.kill("SIGKILL"));
    return child;
  }

  /** Starts a server of somebody else; resolves when it listens on the port. */
  async serve(
    command: readonly string[],
    port: number,
    env: Record<string, string> = {},
  ): Promise<ChildProcess> {
    const child = this.spawn(command, { env: { PORT: String(port), ...env } });
    await until(async () => {
      const owners = await hostFor(process.platform).portOwners(port);
      return owners.some(({ pid }) => pid === child.pid) || undefined;
    });
    return child;
  }

  /** Runs `clawkit doctor --json` to its end. */
  async doctor(call: DoctorCall = {}, ...more: readonly string[]): Promise<Examination> {
    const command = [process.execPath, CLAWKIT, "doctor", "--json", ...(call.args ?? []), ...more];
    const { code, stdout, stderr, ms } = await this.output(command, call);
    const report = reportIn(stdout);
    if (report !== undefined) return { code, ms, report };
    const said = `exit ${code}, ${JSON.stringify({ stdout, stderr }).slice(0, 800)}`;
    throw new Error(`clawkit ${["doctor", ...more].join(" ")} printed no report: ${said}`);
  }

  /** Runs a program on this machine to its end. */
  async output(command: readonly string[], call: DoctorCall = {}): Promise<CommandResult & { ms: number }> {
    const startedAt = performance.now();
    const child = this.#start(command, { ...this.env, ...call.env }, call.at);
    const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
    const result = await collect(child).finally(() => clearTimeout(timer));
    return { ...result, ms: performance.now() - startedAt };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.endProcesses();
    } finally {
      await this.#ends.disposeAsync();
    }
  }

  #start(command: readonly string[], env: Record<string, string>, at: TestHost | undefined): ChildProcess {
    const [program, ...args] = this.wrapped(command) as [string, ...string[]];
    if (at === undefined) return spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return at.spawn("env", "-i", ...variables, program, ...args);
  }
}

function reportIn(text: string): DoctorReport | undefined {
  try {
    const report = JSON.parse(text) as Partial<DoctorReport>;
    return report.causes === undefined ? undefined : (report as DoctorReport);
  } catch {
    return undefined;
  }
}

/** What of our own environment a person has, too; nothing in it says anything of a gateway, or of a proxy. */
export function plainEnvironment(...folders: readonly string[]): Record<string, string> {
  const { PATH = "", LANG, TMPDIR, NODE_COMPILE_CACHE } = process.env;
  const given = Object.entries({ LANG, TMPDIR, NODE_COMPILE_CACHE }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...(Object.fromEntries(given) as Record<string, string>),
    PATH: [...folders, ...PATH.split(delimiter)].join(delimiter),
    NO_COLOR: "1",
    DOCKER_HOST: NO_ENGINE,
  };
}

/** Ends every process, stopped ones too, that has this variable of this value: also what a repair has started. */
export async function endAllWith(name: string, value: string): Promise<void> {
  const pids: number[] = [];
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(`${name}=${value}`) && (await isAlive(Number(pid))))
      pids.push(Number(pid));
  }
  for (const pid of pids) signal(pid, "SIGKILL");
  await untilGone(pids);
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it is gone
  }
}
