import { spawn } from "node:child_process";
import { once } from "node:events";
import { userInfo } from "node:os";
import type { CliContext } from "../cli/context.ts";
import { Output } from "../cli/output/output.ts";
import { tellError } from "../cli/program.ts";
import { hostFor } from "../host/index.ts";
import { startDetached } from "../supervisor/detach.ts";
import { acquireLock, isAlive, readLockOwner } from "../supervisor/lock.ts";
import { entryPath, openclawSearch, playbooksDir, TAKE_OVER } from "./entries.ts";
import { ownHome } from "./home.ts";
import { ownPaths } from "./own-paths.ts";
import { realClock, sendSignal } from "./real.ts";

/** 128 + SIGINT, as shells count. */
const EXIT_INTERRUPTED = 130;

async function ownStartTime(host: CliContext["host"]): Promise<string> {
  return (await host.process(process.pid))?.startTime ?? "unknown";
}

/** A container's `--user 1234` has no entry in passwd. */
function userNameOf(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? "";
  }
}

async function launch(file: string, args: readonly string[]): Promise<void> {
  const child = spawn(file, args, { detached: true, stdio: "ignore", windowsHide: true });
  await once(child, "spawn"); // rejects with the system's error if it cannot be started
  child.unref();
}

/** Fills the command line's needs from this process; ends it with a sentence where that cannot be done. */
export function createContext(name: "clawkit" | "openclaw"): CliContext {
  const out = new Output(process.stdout, process.stderr);
  try {
    return contextWith(name, out, ownHome());
  } catch (error) {
    process.exit(tellError(error, out, process.argv.slice(2)));
  }
}

function contextWith(name: "clawkit" | "openclaw", out: Output, home: string): CliContext {
  const { paths, controlPath } = ownPaths();
  const host = hostFor(process.platform);
  const interrupt = new AbortController();
  let isWatched = false;
  // whoever follows or cleans up looks at the signal; everything else just ends
  process.once("SIGINT", () => {
    interrupt.abort();
    if (!isWatched) process.exit(EXIT_INTERRUPTED);
    process.once("SIGINT", () => process.exit(EXIT_INTERRUPTED));
  });
  const context: CliContext = {
    name,
    env: process.env,
    platform: process.platform,
    home,
    userName: userNameOf(process.env),
    uid: process.getuid?.(),
    pid: process.pid,
    paths,
    controlPath,
    host,
    clock: realClock,
    out,
    fetch: globalThis.fetch,
    get stdin() {
      return process.stdin; // opened when it is read: an open one keeps a process alive
    },
    ask: async (question) => {
      const { createInterface } = await import("node:readline/promises");
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      // a terminal that reads lines keeps Ctrl-C to itself
      terminal.once("SIGINT", () => {
        terminal.close();
        process.stderr.write("\n");
        process.exit(EXIT_INTERRUPTED);
      });
      try {
        const answer = await terminal.question(`${question} [y/N] `).catch(() => ""); // Ctrl-D
        return /^y/i.test(answer.trim());
      } finally {
        terminal.close();
      }
    },
    get interrupted() {
      isWatched = true;
      return interrupt.signal;
    },
    runSupervisor: async (output) => {
      const { runSupervisor } = await import("./run-supervisor.ts");
      process.removeAllListeners("SIGINT"); // the supervisor has its own
      await runSupervisor({ output });
      return 0;
    },
    runConsole: async (port, onReady) => {
      const { runConsole } = await import("./run-console.ts");
      isWatched = true;
      await runConsole(context, { port, onReady, interrupted: interrupt.signal });
    },
    startSupervisor: (handOver) => {
      const args = [entryPath("supervisor"), ...(handOver === undefined ? [] : [TAKE_OVER])];
      const options = { node: process.execPath, args, env: process.env };
      return startDetached({ ...options, ...(handOver === undefined ? {} : { handOver }) });
    },
    supervisorPid: async () => {
      const owner = await readLockOwner(paths.lock);
      return owner !== undefined && (await isAlive(owner, host)) ? owner.pid : undefined;
    },
    sendSignal,
    launch,
    playbooksDir: playbooksDir(),
    endLeftovers: async () => {
      const { endLeftovers } = await import("../supervisor/leftovers.ts");
      const { RunLog } = await import("../supervisor/run-log.ts");
      const records = await new RunLog(paths.runLog).read();
      if (records.length === 0) return;
      const self = { pid: process.pid, startTime: await ownStartTime(host), bootId: await host.bootId() };
      const lock = await acquireLock(paths.lock, self, host).catch(() => undefined);
      if (lock === undefined) return; // a living supervisor looks after its own
      try {
        await endLeftovers(records, { host, sendSignal, log: (text) => out.progress(text) });
      } finally {
        await lock.release();
      }
    },
    runDemo: async (progress) => {
      const { runDemo } = await import("./demo.ts");
      isWatched = true;
      return await runDemo({ progress, interrupted: interrupt.signal });
    },
    ownTarget: { node: process.execPath, entry: entryPath("clawkit") },
    aliasTarget: { node: process.execPath, entry: entryPath("openclaw") },
    self: { node: process.execPath, entry: entryPath("clawkit") },
    openclawSearch: openclawSearch(paths),
  };
  return context;
}
