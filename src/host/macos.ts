import { runCommand } from "./command.ts";
import { noEvidence } from "./no-evidence.ts";
import { launchdServices } from "./services.ts";
import type { Host, PortOwner, ProcessFacts, SleepFacts } from "./types.ts";

/** By full path: a service's PATH may lack /usr/sbin, and another `ps` (Nix has one) prints other columns. */
const PS = "/bin/ps";
const LSOF = "/usr/sbin/lsof";

/** Processes that may be a gateway although their name is no path: started from a shell, or retitled. */
const MAY_BE_GATEWAY = /^(node|openclaw|clawdbot|moltbot)\b/;
const NETSTAT = "/usr/sbin/netstat";
const SYSCTL = "/usr/sbin/sysctl";

/** `lstart` is in the locale's words and the zone's hours, which may change while the process lives. */
const FIXED_FORMAT = { LC_ALL: "C", TZ: "UTC" };

/** In the C locale `ps` and `lsof` escape every byte that is not ASCII, as in a path with an umlaut. */
const READABLE_NAMES = { LC_ALL: "", LC_CTYPE: "UTF-8" };

/** First letter of `state`, ps(1). */
const STATES: Readonly<Record<string, ProcessFacts["state"]>> = {
  R: "running",
  S: "sleeping",
  I: "sleeping",
  U: "sleeping",
  T: "stopped",
  Z: "zombie",
};

export const macos: Host = {
  ...noEvidence,

  async bootId() {
    const uuid = parseBootSession((await runCommand(SYSCTL, ["-n", "kern.bootsessionuuid"])) ?? "");
    if (uuid === undefined)
      throw new Error("Cannot tell this boot from others as sysctl gave no UUID for it");
    return uuid;
  },

  async process(pid) {
    const [facts, name, command] = await Promise.all([
      ps(pid, ["pid", "state", "time", "lstart", "user"], FIXED_FORMAT),
      ps(pid, ["comm"], READABLE_NAMES),
      ps(pid, ["command"], READABLE_NAMES),
    ]);
    if (facts === undefined) return undefined;
    const executable = parseExecutable(name ?? "") ?? (await executablesOf([pid])).get(pid);
    return {
      ...parseProcess(facts),
      command: command?.trim() ?? "",
      ...(executable === undefined ? {} : { executable }),
    };
  },

  async processes() {
    const columns = ["pid", "ppid", "state", "time", "lstart", "user", "command"];
    const [table, names, commands] = await Promise.all([
      psOfAll(columns, FIXED_FORMAT),
      psOfAll(["pid", "comm"], READABLE_NAMES),
      psOfAll(["pid", "command"], READABLE_NAMES),
    ]);
    const found = parseProcessTable(table, parseNames(names), parseNames(commands));
    const unnamed = found.filter(({ executable, command }) => !executable && MAY_BE_GATEWAY.test(command));
    const executables = await executablesOf(unnamed.map(({ pid }) => pid));
    return found.map((one) => {
      const executable = one.executable ?? executables.get(one.pid);
      return executable === undefined ? one : { ...one, executable };
    });
  },

  services: launchdServices,

  /** Another process's environment is not to be had here without a debugger's rights. */
  async marked() {
    return [];
  },

  async sleep() {
    return parseWakeTime(
      (await runCommand(SYSCTL, ["-n", "kern.waketime"], { environment: FIXED_FORMAT })) ?? "",
    );
  },

  async usage(pid) {
    const rssKb = Number((await ps(pid, ["rss"], FIXED_FORMAT))?.trim() || Number.NaN);
    return Number.isNaN(rssKb) ? undefined : { rssBytes: rssKb * 1024 };
  },

  async portOwners(port) {
    // Without root, lsof shows our own sockets only; netstat shows everyone's, without their owners.
    const [sockets, table] = await Promise.all([
      runCommand(LSOF, ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpctn"], { environment: READABLE_NAMES }),
      runCommand(NETSTAT, ["-anl", "-p", "tcp"]),
    ]);
    const held = parseSockets(sockets ?? "", port);
    const seen = new Set(held.map(({ address }) => address));
    const owners = held.map(async ({ address, pid, name }): Promise<PortOwner> => {
      const facts = await macos.process(pid).catch(() => undefined);
      return { address, pid, command: facts?.command || name };
    });
    const unseen = parseNetstat(table ?? "", port).filter((address) => !seen.has(address));
    return [...(await Promise.all(owners)), ...unseen.map((address) => ({ address }))];
  },

  portClients: (port) => connectionsAt("far", port),

  portUsers: (port) => connectionsAt("near", port),
};

async function connectionsAt(end: "near" | "far", port: number): Promise<PortOwner[]> {
  const args = ["-nP", `-iTCP:${port}`, "-sTCP:ESTABLISHED", "-Fpcn"];
  const sockets = await runCommand(LSOF, args, { environment: READABLE_NAMES });
  const found = parseClients(sockets ?? "", port, end);
  return found.map(({ address, pid, name }) => ({ address, pid, command: name }));
}

/** The connections to `port`, or from it, in the fields lsof prints for `-Fpcn`: `n127.0.0.1:51234->127.0.0.1:18789`. */
export function parseClients(
  fields: string,
  port: number,
  end: "near" | "far" = "far",
): { address: string; pid: number; name: string }[] {
  const LINE = end === "far" ? /^n.*->(\[.*\]|[\d.]+):(\d+)$/ : /^n(\[.*?\]|[\d.]+):(\d+)->/;
  const found: { address: string; pid: number; name: string }[] = [];
  let pid = 0;
  let name = "";
  for (const line of fields.split("\n")) {
    if (line[0] === "p") pid = Number(line.slice(1));
    else if (line[0] === "c") name = line.slice(1);
    const [, host, number] = LINE.exec(line) ?? [];
    if (host === undefined || Number(number) !== port) continue;
    found.push({ address: host.replace(/^\[|\]$/g, ""), pid, name });
  }
  return found;
}

/** What `sysctl -n kern.waketime` prints: `{ sec = 1616, usec = 0 } …`; always 0 on some Macs (giampaolo/psutil#1468). */
export function parseWakeTime(text: string): SleepFacts | undefined {
  const seconds = Number(/\bsec = (\d+)/.exec(text)?.[1] ?? 0);
  return seconds === 0 ? undefined : { wokeAt: seconds * 1000 };
}

/** What `sysctl -n kern.bootsessionuuid` prints; undefined if it is no UUID. */
export function parseBootSession(text: string): string | undefined {
  return /^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.exec(text.trim())?.[0];
}

/** A line of `ps -o pid= -o state= -o time= -o lstart= -o user=` in the C locale. */
export function parseProcess(line: string): Omit<ProcessFacts, "command" | "executable"> {
  const LINE = /^\s*(\d+)\s+(?:(\S+)\s+)?(\d+):(\d+)\.(\d+)\s+(\w+ \w+ [\d ]\d [\d:]+ \d+)\s+(\S.*?)\s*$/;
  const [, pid, letters = "", minutes, seconds, hundredths, startTime, user] = LINE.exec(line) ?? [];
  if (startTime === undefined) throw new Error(`Cannot read a process as ps printed ${JSON.stringify(line)}`);
  return {
    pid: Number(pid),
    startTime,
    state: parseState(letters),
    cpuMs: (Number(minutes) * 60 + Number(seconds)) * 1000 + Number(hundredths) * 10,
    user: user!,
  };
}

/** Lines of `ps -ax -o pid= -o comm=`, or of another column with blanks: what it says of each pid. */
export function parseNames(table: string): Map<number, string> {
  const lines = table.split("\n").map((line) => /^\s*(\d+) (.*?)\s*$/.exec(line));
  return new Map(lines.flatMap((match) => (match === null ? [] : [[Number(match[1]), match[2]!]])));
}

/**
 * Lines of `ps -ax -o pid= -o ppid= -o state= -o time= -o lstart= -o user= -o command=` in the C locale. A user's
 * name has no blank here: the command would not be found behind one that has. Where an executable with blanks ends,
 * and what is not ASCII, only tables of their own tell.
 */
export function parseProcessTable(
  table: string,
  names: ReadonlyMap<number, string> = new Map(),
  commands: ReadonlyMap<number, string> = new Map(),
): ProcessFacts[] {
  const LINE =
    /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\d+):(\d+)\.(\d+)\s+(\w+ \w+ [\d ]\d [\d:]+ \d+)\s+(\S+)\s+(.*?)\s*$/;
  return table.split("\n").flatMap((line): ProcessFacts[] => {
    const [, id, parentPid, letters, minutes, seconds, hundredths, startTime, user, printed] =
      LINE.exec(line) ?? [];
    if (startTime === undefined) return [];
    const pid = Number(id);
    const executable = parseExecutable(names.get(pid) ?? printed!.split(" ")[0]!);
    return [
      {
        pid,
        parentPid: Number(parentPid),
        startTime,
        state: parseState(letters!),
        cpuMs: (Number(minutes) * 60 + Number(seconds)) * 1000 + Number(hundredths) * 10,
        user: user!,
        command: commands.get(pid) ?? printed!,
        ...(executable === undefined ? {} : { executable }),
      },
    ];
  });
}

/** `comm` is argv[0], what the process was called by: a path only if whoever started it used one. */
export function parseExecutable(comm: string): string | undefined {
  const name = comm.trim();
  return name.startsWith("/") ? name : undefined;
}

/** The first text file of each process in the fields lsof prints for `-Fpn`: its executable. */
export function parseTextFiles(fields: string): Map<number, string> {
  const found = new Map<number, string>();
  let pid = 0;
  for (const line of fields.split("\n")) {
    if (line[0] === "p") pid = Number(line.slice(1));
    else if (line.startsWith("n/") && !found.has(pid)) found.set(pid, line.slice(1));
  }
  return found;
}

/** The listening sockets on `port` in the fields lsof prints for `-Fpctn`, each once. */
export function parseSockets(fields: string, port: number): { address: string; pid: number; name: string }[] {
  const found = new Map<string, { address: string; pid: number; name: string }>();
  let pid = 0;
  let name = "";
  let type = "";
  for (const line of fields.split("\n")) {
    const value = line.slice(1);
    if (line[0] === "p") pid = Number(value);
    else if (line[0] === "c") name = value;
    else if (line[0] === "t") type = value;
    else if (line[0] === "n") {
      const [, host, number] = /^(\*|\[.*\]|[\d.]+):(\d+)$/.exec(value) ?? [];
      if (host === undefined || Number(number) !== port) continue;
      const address = host === "*" ? wildcard(type === "IPv6") : host.replace(/^\[|\]$/g, "");
      found.set(`${pid} ${address}`, { address, pid, name });
    }
  }
  return [...found.values()];
}

/** The addresses that `netstat -anl -p tcp` shows listening on `port`, each once. */
export function parseNetstat(table: string, port: number): string[] {
  const addresses = new Set<string>();
  for (const line of table.split("\n")) {
    const [protocol, , , local, , state] = line.trim().split(/\s+/);
    if (!protocol?.startsWith("tcp") || state !== "LISTEN" || !local?.endsWith(`.${port}`)) continue;
    const host = local.slice(0, local.lastIndexOf("."));
    addresses.add(host === "*" ? wildcard(protocol !== "tcp4") : host);
  }
  return [...addresses];
}

async function executablesOf(pids: readonly number[]): Promise<Map<number, string>> {
  if (pids.length === 0) return new Map();
  const args = ["-a", "-d", "txt", "-p", pids.join(","), "-Fpn"];
  return parseTextFiles((await runCommand(LSOF, args, { environment: READABLE_NAMES })) ?? "");
}

async function psOfAll(
  keywords: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const columns = keywords.flatMap((keyword) => ["-o", `${keyword}=`]);
  return (await runCommand(PS, ["-axww", ...columns], { environment })) ?? "";
}

function ps(pid: number, keywords: readonly string[], environment: Readonly<Record<string, string>>) {
  const columns = keywords.flatMap((keyword) => ["-o", `${keyword}=`]);
  return runCommand(PS, ["-ww", ...columns, "-p", String(pid)], { environment });
}

/** Flags follow the letter; X is a process being traced, whose stop its user's debugger knows about. */
function parseState(letters: string): ProcessFacts["state"] {
  if (/^T.*X/.test(letters)) return "unknown";
  return STATES[letters.charAt(0)] ?? "unknown";
}

function wildcard(isIPv6: boolean): string {
  return isIPv6 ? "::" : "0.0.0.0";
}
