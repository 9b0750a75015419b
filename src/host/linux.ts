import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { linuxEvidence } from "./linux-evidence.ts";
import { linuxPortRule } from "./port-rules.ts";
import { systemdLog, systemdServices } from "./services.ts";
import type { Host, PortOwner, ProcessFacts } from "./types.ts";

/** Clock ticks per second: USER_HZ is 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

/** States of /proc/<pid>/stat, proc(5). `t` is a debugger's stop: its user is looking, so not "stopped". */
const STATES: Readonly<Record<string, ProcessFacts["state"]>> = {
  R: "running",
  S: "sleeping",
  D: "sleeping",
  I: "sleeping",
  T: "stopped",
  Z: "zombie",
};

export const linux: Host = {
  ...linuxEvidence,

  async bootId() {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  },

  async process(pid) {
    const folder = `/proc/${pid}`;
    const stat = await readOrUndefined(`${folder}/stat`);
    if (stat === undefined) return undefined;
    const [executable, commandLine, user] = await Promise.all([
      readlink(`${folder}/exe`).then(
        (path) => path.replace(/ \(deleted\)$/, ""), // replaced by an upgrade
        () => undefined,
      ),
      readOrUndefined(`${folder}/cmdline`),
      ownerOf(folder),
    ]);
    const facts = parseStat(stat);
    const args = (commandLine ?? "").replace(/\0+$/, "").split("\0");
    const command = args.join(" ").trim() || `[${facts.name}]`;
    return {
      pid,
      parentPid: facts.parentPid,
      startTime: facts.startTime,
      ...(await startedAt(facts.startTime)),
      state: facts.state,
      cpuMs: facts.cpuMs,
      command,
      args,
      ...(executable === undefined ? {} : { executable }),
      ...(user === undefined ? {} : { user }),
    };
  },

  async processes() {
    const all = await Promise.all((await pidsOfProc()).map((pid) => linux.process(Number(pid))));
    return all.filter((facts) => facts !== undefined);
  },

  services: systemdServices,

  serviceLog: systemdLog,

  portRule: (port) => linuxPortRule(port, process.getuid?.()),

  async marked(mark) {
    const pids = await pidsOfProc();
    const found = await Promise.all(
      pids.map(async (pid) => {
        const environment = await readOrUndefined(`/proc/${pid}/environ`);
        return environment?.split("\0").includes(`CLAWKIT_RUN=${mark}`) ? Number(pid) : undefined;
      }),
    );
    return found.filter((pid) => pid !== undefined);
  },

  async portOwners(port) {
    return await holdersOf((table) => parseListeners(table, port));
  },

  async portClients(port) {
    return await holdersOf((table) => parseClients(table, port));
  },

  async portUsers(port) {
    return await holdersOf((table) => parseUsers(table, port));
  },
};

async function holdersOf(parse: (table: string) => Socket[]): Promise<PortOwner[]> {
  const tables = await Promise.all([readOrUndefined("/proc/net/tcp"), readOrUndefined("/proc/net/tcp6")]);
  const sockets = tables.flatMap((table) => (table === undefined ? [] : parse(table)));
  if (sockets.length === 0) return [];
  const holders = await findSocketHolders(new Set(sockets.map((socket) => socket.inode)));
  const owners: PortOwner[] = [];
  for (const { address, inode } of sockets) {
    const pids = holders.get(inode) ?? [];
    if (pids.length === 0) owners.push({ address });
    for (const pid of pids) {
      const facts = await linux.process(pid);
      owners.push({ address, pid, ...(facts === undefined ? {} : { command: facts.command }) });
    }
  }
  return owners;
}

/** The fields we use of a line of /proc/<pid>/stat. The name may hold spaces and parentheses. */
export function parseStat(line: string): {
  name: string;
  state: ProcessFacts["state"];
  parentPid: number;
  startTime: string;
  cpuMs: number;
} {
  const nameEnd = line.lastIndexOf(")");
  const fields = line.slice(nameEnd + 2).split(" "); // from field 3 on
  const cpuTicks = Number(fields[11]) + Number(fields[12]); // 14 utime, 15 stime
  return {
    name: line.slice(line.indexOf("(") + 1, nameEnd),
    state: STATES[fields[0]!] ?? "unknown",
    parentPid: Number(fields[1]), // 4 ppid
    startTime: fields[19]!, // 22 starttime
    cpuMs: (cpuTicks * 1000) / TICKS_PER_SECOND,
  };
}

interface Socket {
  readonly address: string;
  readonly inode: string;
}

/** States of /proc/net/tcp (include/net/tcp_states.h). */
const ESTABLISHED = "01";
const LISTEN = "0A";

/** The listening sockets on `port` in a table of /proc/net/tcp or tcp6. */
export function parseListeners(table: string, port: number): Socket[] {
  return rowsOf(table)
    .filter(({ state, local }) => state === LISTEN && portOf(local) === port)
    .map(({ local, inode }) => ({ address: parseKernelAddress(local.split(":")[0]!), inode }));
}

/** The connections to `port`: that is their far end. */
export function parseClients(table: string, port: number): Socket[] {
  return rowsOf(table)
    .filter(({ state, remote }) => state === ESTABLISHED && portOf(remote) === port)
    .map(({ remote, inode }) => ({ address: parseKernelAddress(remote.split(":")[0]!), inode }));
}

/** The connections from `port`: that is their near end. */
export function parseUsers(table: string, port: number): Socket[] {
  return rowsOf(table)
    .filter(({ state, local }) => state === ESTABLISHED && portOf(local) === port)
    .map(({ local, inode }) => ({ address: parseKernelAddress(local.split(":")[0]!), inode }));
}

function rowsOf(table: string): { local: string; remote: string; state: string; inode: string }[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    if (fields.length < 10 || !fields[1]!.includes(":")) return []; // the heading, the end
    return [{ local: fields[1]!, remote: fields[2]!, state: fields[3]!, inode: fields[9]! }];
  });
}

function portOf(address: string): number {
  return Number.parseInt(address.split(":")[1]!, 16);
}

/** /proc/net writes addresses as 32-bit words in the machine's byte order (little-endian everywhere we run). */
function parseKernelAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.every((byte) => byte === 0)) return "::";
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "::1";
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  return groups.join(":");
}

/** Which processes hold the sockets, by inode. Those of other users stay unseen unless we are root. */
async function findSocketHolders(inodes: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const holders = new Map<string, number[]>();
  const pids = await pidsOfProc();
  await Promise.all(
    pids.map(async (pid) => {
      const seen = new Set<string>();
      const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
      for (const descriptor of descriptors) {
        const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode === undefined || !inodes.has(inode) || seen.has(inode)) continue;
        seen.add(inode);
        holders.set(inode, [...(holders.get(inode) ?? []), Number(pid)]);
      }
    }),
  );
  return holders;
}

/** When this boot began, in seconds since 1970 (`btime`, proc(5)). */
let bootSeconds: Promise<number | undefined> | undefined;

async function startedAt(ticks: string): Promise<{ startedAt?: number }> {
  bootSeconds ??= readOrUndefined("/proc/stat").then((text) => {
    const seconds = /^btime (\d+)$/m.exec(text ?? "")?.[1];
    return seconds === undefined ? undefined : Number(seconds);
  });
  const boot = await bootSeconds;
  return boot === undefined ? {} : { startedAt: (boot + Number(ticks) / TICKS_PER_SECOND) * 1000 };
}

async function pidsOfProc(): Promise<string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(() => undefined);
}

/** Its name, or its number where it has none: a container's `--user 1234` has no entry in passwd. */
async function ownerOf(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return undefined;
  try {
    const own = userInfo();
    if (facts.uid === own.uid) return own.username;
  } catch {
    // no entry
  }
  return facts.uid === 0 ? "root" : `uid ${facts.uid}`;
}
