import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureConfig } from "../cli/config-file.ts";
import { readConfigAndText } from "../cli/running.ts";
import type { StatePaths } from "../config/paths.ts";
import type { Config } from "../config/schema.ts";
import { formatLogLine, type LogStream } from "../core/log-line.ts";
import { ensurePrivateDir, writeFileAtomic } from "../host/files.ts";
import { hostFor } from "../host/index.ts";
import { readOpenclawGateway, trustsEdge } from "../host/openclaw-gateway.ts";
import { openclawConfigPath } from "../host/openclaw-state.ts";
import { RotatingFile } from "../host/rotating-file.ts";
import { LAUNCHD_LABEL, SERVICE_LOG } from "../services/launchd-plist.ts";
import { startSeconds, stopSeconds } from "../services/limits.ts";
import { ServiceNotifier } from "../services/notify.ts";
import { boundLog } from "../services/service-log.ts";
import type { OpenclawConfig } from "../supervisor/config-watch.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import type { TakeOver } from "../supervisor/take-over.ts";
import { entryPath, openclawSearch } from "./entries.ts";
import { ownHome } from "./home.ts";
import { localSocket, ownPaths } from "./own-paths.ts";
import { realClock, sendSignal, surviveLostOutput } from "./real.ts";

const BYTES_PER_MB = 1024 * 1024;

type Source = "gateway" | "edge" | "supervisor" | "control";

export interface RunOptions {
  /** Another gateway has the port, and is about to end. */
  readonly takeOver?: TakeOver;
  /**
   * What goes to standard output: in the foreground everything that is logged, so that `docker logs` shows it, or the
   * events, a line of JSON each.
   */
  readonly output: "lines" | "events" | "none";
  /** Lock and port are taken, edge and gateway are starting. */
  readonly onTakenOver?: () => void;
  /** Clients are served. */
  readonly onReady?: () => void | Promise<void>;
}

/** Runs the supervisor in this process until it is stopped. Throws when it cannot start. */
export async function runSupervisor(options: RunOptions): Promise<void> {
  const { paths, controlPath } = ownPaths();
  await ensureConfig(paths);
  if (process.platform !== "win32") await ensureSocketDir(paths, controlPath);
  const config = await readValidConfig(paths);
  const files = logFiles(paths, config.logs);
  // launchd has no journal: what it keeps of us is for what our own logs do not have
  const isLaunchd = process.env.XPC_SERVICE_NAME === LAUNCHD_LABEL;
  if (isLaunchd) await boundLog(join(paths.logsDir, SERVICE_LOG), config.logs.maxMb * BYTES_PER_MB);
  const echo = options.output === "lines" && !isLaunchd;

  const write = (source: Source, stream: LogStream, text: string) => {
    const line = { time: new Date(realClock.wall()).toISOString(), stream, text };
    files[source].write(formatLogLine(line));
    if (echo) console.log(`${line.time} ${source.padEnd(10)} ${text}`);
  };

  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...env } = process.env;
  const notifier = new ServiceNotifier({
    variables: { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID },
    pid: process.pid,
    log: (text) => write("supervisor", "log", text),
  });
  notifier.starting(startSeconds(config.supervisor));

  const supervisor = new Supervisor({
    pid: process.pid,
    host: hostFor(process.platform),
    clock: realClock,
    random: Math.random,
    sendSignal,
    env,
    node: process.execPath,
    edgeArgs: [EDGE_YOUNG_SPACE, entryPath("edge")],
    gatewayArgs: [entryPath("gateway")],
    controlArgs: [entryPath("control")],
    controlApiPath: localSocket(paths, "console"),
    stateDir: paths.stateDir,
    crashesDir: paths.crashesDir,
    reportsDir: paths.reportsDir,
    fetch: globalThis.fetch,
    openclawSearch: openclawSearch(paths),
    readOpenclaw,
    lockPath: paths.lock,
    runLogPath: paths.runLog,
    controlPath,
    configPath: paths.config,
    journalPath: paths.journal,
    logFile: join(paths.logsDir, "gateway.log"),
    socketPathFor: (generation) => localSocket(paths, `gateway-${generation}`),
    readConfig: () => readValidConfig(paths),
    log: (text) => write("supervisor", "log", text),
    onLine: (source, stream, line) => write(source, stream, line),
    onEvent: (event) => {
      if (options.output !== "events") return;
      console.log(JSON.stringify({ time: new Date(realClock.wall()).toISOString(), ...event }));
    },
  });

  process.title = "clawkit supervisor";
  surviveLostOutput();
  const stop = (reason: string) => () => {
    notifier.stopping(stopSeconds(config.supervisor));
    void supervisor.stop(reason).catch(() => undefined); // `ended` has it
  };
  process.on("SIGTERM", stop("gateway stopped (SIGTERM to its supervisor)"));
  process.on("SIGINT", stop("gateway stopped (Ctrl-C)"));
  process.on("SIGHUP", stop("gateway stopped (its terminal was closed)"));
  try {
    await supervisor.start(options.takeOver);
    options.onTakenOver?.();
    void supervisor.whenReady().then(
      () => {
        notifier.ready("clients are served");
        return options.onReady?.();
      },
      (error: Error) => {
        write("supervisor", "log", error.message);
        // another start would not help, and would take the port from the clients that wait
        notifier.ready(`not serving: ${error.message}`);
      },
    );
    await supervisor.ended;
  } finally {
    notifier.end();
    await Promise.all(Object.values(files).map((file) => file.close()));
  }
}

/**
 * MiB. A relay keeps no new objects, but thousands of clients that come at once make V8 grow its space for them to 48 MB
 * and keep it: 7 KiB for each of 3,000 links (bench:relay).
 */
const EDGE_YOUNG_SPACE = "--max-semi-space-size=8";

/** A config that is missing or broken trusts nobody. */
async function readOpenclaw(): Promise<OpenclawConfig> {
  const path = await openclawConfigPath(process.env, ownHome());
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    return { text, trustsEdge: trustsEdge(readOpenclawGateway({ path, text })) };
  } catch {
    return { text, trustsEdge: false };
  }
}

/** Reads the config, and keeps a copy of what was valid: `doctor --fix` can bring it back. */
async function readValidConfig(paths: StatePaths): Promise<Config> {
  const { config, text } = await readConfigAndText({ paths, env: process.env });
  const kept = await readFile(paths.lastValidConfig, "utf8").catch(() => undefined);
  if (kept !== text) await writeFileAtomic(paths.lastValidConfig, text).catch(() => {}); // a full disk stops no start
  return config;
}

function logFiles(paths: StatePaths, bounds: { maxMb: number; keep: number }): Record<Source, RotatingFile> {
  const create = (source: Source) =>
    new RotatingFile(join(paths.logsDir, `${source}.log`), {
      maxBytes: bounds.maxMb * BYTES_PER_MB,
      keep: bounds.keep,
      wall: realClock.wall,
      onTrouble: (message) => console.error(message),
    });
  return {
    gateway: create("gateway"),
    edge: create("edge"),
    supervisor: create("supervisor"),
    control: create("control"),
  };
}

/** A path too long for a socket moves to the temporary folder; only we may enter there. */
async function ensureSocketDir(paths: StatePaths, controlPath: string): Promise<void> {
  const folder = dirname(controlPath);
  if (folder === paths.runDir) return;
  await mkdir(dirname(folder), { recursive: true });
  await ensurePrivateDir(folder);
}
