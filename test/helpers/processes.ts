import { readdir, readFile, readlink } from "node:fs/promises";
import net from "node:net";
import { hostFor } from "../../src/host/index.ts";
import { until } from "./clawkit.ts";

/** Why a test that looks at processes through `/proc` does not run here; false on Linux. */
export const needsProc = process.platform === "linux" ? false : "looks at processes through /proc";

/** Whether the process is there and no mere entry of a dead one that nobody waited for. */
export async function isAlive(pid: number): Promise<boolean> {
  const facts = await hostFor(process.platform).process(pid);
  return facts !== undefined && facts.state !== "zombie";
}

/** Resolves once none of the processes is alive; throws after the time limit. */
export async function untilGone(pids: readonly number[], timeoutMs = 30_000): Promise<void> {
  await until(async () => {
    const alive = await Promise.all(pids.map(isAlive));
    return alive.includes(true) ? undefined : true;
  }, timeoutMs);
}

/** The processes, at any depth, that inherited this state directory; the test's own process is none of them. */
export async function processesOf(stateDir: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const pid of await allPids()) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(`CLAWKIT_STATE_DIR=${stateDir}`)) continue;
    if (await isAlive(pid)) found.push({ pid, command: await commandLine(pid) });
  }
  return found;
}

export async function commandLine(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.split("\0").join(" ").trim();
}

/** The title a `ps` shows, and the name the kernel keeps. */
export async function titles(pid: number): Promise<string> {
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return `${await commandLine(pid)}\n${name}`;
}

/** Whether a program could listen on the port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** How many established connections to its own `port` a process holds: those it accepted. */
export async function acceptedConnections(pid: number, port: number): Promise<number> {
  const ESTABLISHED = "01";
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await readFile("/proc/net/tcp", "utf8");
  const inodes = new Set<string>();
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(`:${hex}`) && fields[3] === ESTABLISHED) inodes.add(fields[9]!);
  }
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(
    descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
  return targets.filter((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "")).length;
}

async function allPids(): Promise<number[]> {
  const names = await readdir("/proc");
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
