import { readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJson5 } from "../config/parse.ts";
import { portFromEnvironment } from "../config/resolve.ts";
import { parseRunLog, type UnfinishedRun, unfinishedRuns } from "../core/run-record.ts";
import { type OpenClawLock, readOpenClawLocks } from "../diagnosis/facts/openclaw-locks.ts";
import type { Machine, Target } from "../diagnosis/machine.ts";
import { localTarget, parseTarget } from "../diagnosis/target.ts";
import { TimeLimit } from "../diagnosis/time-limit.ts";
import { openclawConfigPath, openclawDirs } from "../host/openclaw-state.ts";
import type { CliContext } from "./context.ts";
import { withRecords } from "./recorded.ts";
import { configuredPort, readConfig, statusToLookAt } from "./running.ts";

const HOUR_MS = 3_600_000;

const DEFAULT_PORT = 18789;

const DEFAULT_LOG_DIR = "/tmp/openclaw";

/** A supervisor that works answers in milliseconds. */
const SOON_MS = 250;

export interface MachineOptions {
  /** The address that a client was given. */
  readonly url?: string;
  /** More time, and more of every log. */
  readonly deep?: boolean;
}

/** This machine, as the diagnosis looks at it. */
export async function machineOf(context: CliContext, options: MachineOptions = {}): Promise<Machine> {
  const { env, home, host, paths } = context;
  const dirs = await openclawDirs(env, home);
  const configPath = await openclawConfigPath(env, home);
  // runs without any config are the past of an adoption that was taken back
  const hasOwnState = once(
    async () =>
      (await exists(paths.config)) || ((await exists(paths.runLog)) && (await exists(paths.lastValidConfig))),
  );
  const status = once(() => statusToLookAt(context));
  const openclawLocks = once(() => readOpenClawLocks(dirs, tmpdir(), context.uid));
  const here = once(async () => {
    if (await hasOwnState()) {
      const config = await readConfig(context).catch(() => undefined);
      // a supervisor that does not answer keeps nobody: what it says is waited for by the looks
      const told = await within(
        SOON_MS,
        status().then(({ port }) => port),
      );
      const port = told ?? (await configuredPort(context)).port;
      return localTarget(port, config?.gateway.tls !== undefined, config?.gateway.bind);
    }
    return await targetOfOpenClaw(configPath, env, await openclawLocks());
  });
  const isOpenClaw = once(async () => {
    if (dirs.length === 0) return false;
    if (!(await hasOwnState())) return true;
    const config = await readConfig(context).catch(() => undefined);
    return config !== undefined && config.gateway.upstream.type !== "builtin";
  });
  const target = options.url === undefined ? await here() : parseTarget(options.url);
  return {
    host,
    platform: context.platform,
    clock: context.clock,
    env,
    openclawDirs: dirs,
    openclawConfigPath: configPath,
    isOpenClaw,
    paths,
    target,
    configuredPort: async () => (await here()).port,
    isDeep: options.deep ?? false,
    home,
    pid: context.pid,
    uid: context.uid,
    userName: context.userName,
    sharedLogDirs: sharedLogDirs(context),
    isContainer: async () => (await exists("/.dockerenv")) || (await exists("/run/.containerenv")),
    status,
    processes: once(() => host.processes()),
    services: once(() => host.services()),
    portOwners: once(() => host.portOwners(target.port)),
    kernelLines: once(() => host.kernelLines(context.clock.wall() - HOUR_MS)),
    openclawLocks,
    ownConfig: () => readConfig(context),
    ownProcesses: once(() => ownProcesses(context)),
    hasOwnState,
    records: (use) => withRecords(context, use),
  };
}

/** Starts of ours in this boot whose end nobody wrote down: they may live. */
async function ownProcesses({ host, paths }: CliContext): Promise<readonly UnfinishedRun[]> {
  const text = await readFile(paths.runLog, "utf8").catch(() => "");
  return unfinishedRuns(parseRunLog(text), await host.bootId());
}

async function targetOfOpenClaw(
  path: string,
  env: CliContext["env"],
  locks: readonly OpenClawLock[],
): Promise<Target> {
  const text = await readFile(path, "utf8").catch(() => "");
  let gateway: { port?: unknown; tls?: { enabled?: unknown } } | undefined;
  try {
    gateway = (parseJson5({ path, text }) as { gateway?: typeof gateway } | null)?.gateway;
  } catch {
    // a config that cannot be read is a finding, not a reason to look nowhere
  }
  const own = portFromEnvironment(env);
  const port = Number(own ?? env.OPENCLAW_GATEWAY_PORT ?? gateway?.port ?? locks[0]?.port ?? DEFAULT_PORT);
  const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
  return localTarget(isPort ? port : DEFAULT_PORT, gateway?.tls?.enabled === true);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** What is known within that time; undefined if it is not. */
async function within<T>(limitMs: number, answer: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const limit = new TimeLimit(limitMs, () => late.resolve(undefined));
  return await Promise.race([answer, late.promise]).finally(() => limit.end());
}

/** Asks once, whoever wants to know. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

/** OpenClaw's own, whatever TMPDIR says, on Linux and macOS; on Windows it is below TEMP. */
function sharedLogDirs({ env, uid }: CliContext): string[] {
  const temp = env.TMPDIR ?? env.TEMP;
  if (temp === undefined) return [DEFAULT_LOG_DIR];
  const ofUser = uid === undefined ? [] : [join(temp, `openclaw-${uid}`)];
  return [DEFAULT_LOG_DIR, join(temp, "openclaw"), ...ofUser];
}
