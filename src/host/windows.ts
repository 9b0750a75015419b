import { win32 } from "node:path";
import { parseArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { noEvidence } from "./no-evidence.ts";
import { parseExcludedPorts } from "./port-rules.ts";
import { taskServices } from "./services.ts";
import type { Host, PortOwner, ProcessFacts, ProcessUsage } from "./types.ts";

/** By full path: Windows looks for a bare name in the current folder first. */
const SYSTEM = win32.join(process.env.SystemRoot ?? "C:\\Windows", "System32");
const NETSTAT = win32.join(SYSTEM, "netstat.exe");
const NETSH = win32.join(SYSTEM, "netsh.exe");
const REG = win32.join(SYSTEM, "reg.exe");
const POWERSHELL = win32.join(SYSTEM, "WindowsPowerShell", "v1.0", "powershell.exe");

/** Starting PowerShell and listing took 1.3 s on a fast desktop (react/create-react-app#3808). */
const POWERSHELL_TIME_LIMIT_MS = 10_000;

/**
 * The number of this boot, as the kubelet reads it (kubernetes/kubernetes#108704). LastBootUpTime is only the
 * second choice: it moves with the clock, by an hour within one boot (boostorg/interprocess#96 and #97).
 */
const BOOT_KEY =
  "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters";

const PROPERTIES =
  "ProcessId,ParentProcessId,Name,CommandLine,ExecutablePath,CreationDate,KernelModeTime,UserModeTime";

/** Asking for an owner takes a call each, and is answered of one's own processes only: so of Node's. */
const OWNER =
  "@{n='User';e={if($_.Name -eq 'node.exe'){(Invoke-CimMethod -InputObject $_ -MethodName GetOwner" +
  " -ErrorAction SilentlyContinue).User}}}";

export const windows: Host = {
  ...noEvidence,

  async bootId() {
    const number = parseBootNumber((await runCommand(REG, ["query", BOOT_KEY, "/v", "BootId"])) ?? "");
    if (number !== undefined) return number;
    return parseLastBoot(
      await powershell(
        "Get-CimInstance Win32_OperatingSystem -Property LastBootUpTime -ErrorAction Stop" +
          " | Select-Object LastBootUpTime | ConvertTo-Json -Compress",
      ),
    );
  },

  async process(pid) {
    return (await readProcesses([pid])).get(pid);
  },

  async processes() {
    return [...(await readProcesses(undefined)).values()];
  },

  services: () => taskServices(powershell),

  /** Another process's environment is not to be had here without a debugger's rights. */
  async marked() {
    return [];
  },

  async usage(pid) {
    const answer = await powershell(
      `Get-Process -Id ${pid} -ErrorAction Stop | Select-Object WorkingSet64,PeakWorkingSet64 | ConvertTo-Json -Compress`,
    ).catch(() => "");
    return parseUsage(answer);
  },

  async portRule(port) {
    const table = await runCommand(NETSH, ["interface", "ipv4", "show", "excludedportrange", "protocol=tcp"]);
    return parseExcludedPorts(table ?? "", port);
  },

  async portOwners(port) {
    return await holdersOf((table) => parseNetstat(table, port));
  },

  async portClients(port) {
    return await holdersOf((table) => parseClients(table, port));
  },

  async portUsers(port) {
    return await holdersOf((table) => parseClients(table, port, "near"));
  },
};

async function holdersOf(parse: (table: string) => { address: string; pid: number }[]): Promise<PortOwner[]> {
  const tables = await Promise.all([
    runCommand(NETSTAT, ["-ano", "-p", "TCP"]),
    runCommand(NETSTAT, ["-ano", "-p", "TCPv6"]),
  ]);
  const sockets = tables.flatMap((table) => parse(table ?? ""));
  if (sockets.length === 0) return [];
  const processes = await readProcesses(sockets.map(({ pid }) => pid)).catch(() => undefined);
  return sockets.map(({ address, pid }): PortOwner => {
    const command = processes?.get(pid)?.command;
    return { address, pid, ...(command === undefined ? {} : { command }) };
  });
}

/** The connections to `port`, or from it, that `netstat -ano` shows. A listener's foreign port is 0. */
export function parseClients(
  table: string,
  port: number,
  end: "near" | "far" = "far",
): { address: string; pid: number }[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [protocol, local, foreign] = fields;
    const pid = Number(fields.at(-1));
    const address = end === "far" ? foreign : local;
    if (protocol !== "TCP" || !address?.endsWith(`:${port}`) || !Number.isInteger(pid)) return [];
    if (foreign!.endsWith(":0")) return [];
    return [{ address: address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, ""), pid }];
  });
}

/** What `Get-Process … | ConvertTo-Json` prints. */
export function parseUsage(text: string): ProcessUsage | undefined {
  const match = /"WorkingSet64":(\d+),"PeakWorkingSet64":(\d+)/.exec(text);
  return match === null ? undefined : { rssBytes: Number(match[1]), peakRssBytes: Number(match[2]) };
}

/** What `reg query … /v BootId` prints, as a decimal number; undefined if the value is missing. */
export function parseBootNumber(listing: string): string | undefined {
  const hex = /^\s*BootId\s+REG_DWORD\s+0x([0-9a-f]+)\s*$/im.exec(listing)?.[1];
  return hex === undefined ? undefined : String(Number.parseInt(hex, 16));
}

/** The LastBootUpTime of Win32_OperatingSystem as ConvertTo-Json prints it. */
export function parseLastBoot(json: string): string {
  const { LastBootUpTime } = parseJson(json) as { LastBootUpTime: string };
  return parseDate(LastBootUpTime);
}

/** Processes of Win32_Process as ConvertTo-Json prints them: an array, or an object if there is one. */
export function parseProcesses(json: string): ProcessFacts[] {
  const parsed = parseJson(json);
  const records = (Array.isArray(parsed) ? parsed : [parsed]) as Partial<Win32Process>[];
  return records.map((record) => {
    const executable = record.ExecutablePath ?? undefined;
    return {
      pid: record.ProcessId!,
      ...(record.ParentProcessId === undefined ? {} : { parentPid: record.ParentProcessId }),
      // Only the kernel's own, which start with the machine and never twice, have no date.
      startTime: record.CreationDate ? parseDate(record.CreationDate) : "boot",
      state: "unknown", // Windows suspends threads, not processes; Win32_Process has no state
      cpuMs: ((record.KernelModeTime ?? 0) + (record.UserModeTime ?? 0)) / 10_000, // units of 100 ns
      command: record.CommandLine ?? executable ?? `[${record.Name}]`,
      ...(record.CommandLine ? { args: parseArguments(record.CommandLine) } : {}),
      ...(executable === undefined ? {} : { executable }),
      ...(record.User ? { user: record.User } : {}),
    };
  });
}

/** The listening sockets on `port` that `netstat -ano` shows. Its words are translated, its addresses not. */
export function parseNetstat(table: string, port: number): { address: string; pid: number }[] {
  const found: { address: string; pid: number }[] = [];
  for (const line of table.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const [protocol, local, foreign] = fields;
    const pid = Number(fields.at(-1)); // not the fifth: a translated state may hold spaces
    if (protocol !== "TCP" || (foreign !== "0.0.0.0:0" && foreign !== "[::]:0")) continue;
    if (!local!.endsWith(`:${port}`) || !Number.isInteger(pid)) continue;
    found.push({ address: local!.slice(0, local!.lastIndexOf(":")).replace(/^\[|\]$/g, ""), pid });
  }
  return found;
}

/** Null where this user may not look. */
interface Win32Process {
  readonly ProcessId: number;
  readonly ParentProcessId?: number;
  readonly Name: string;
  readonly CommandLine: string | null;
  readonly ExecutablePath: string | null;
  readonly CreationDate: string | null;
  readonly KernelModeTime: number | null;
  readonly UserModeTime: number | null;
  readonly User?: string | null;
}

/** Those of these pids, or all. */
async function readProcesses(pids: readonly number[] | undefined): Promise<Map<number, ProcessFacts>> {
  const filter = pids === undefined ? "" : ` -Filter '${pids.map((pid) => `ProcessId=${pid}`).join(" OR ")}'`;
  const json = await powershell(
    `ConvertTo-Json -Compress -InputObject @(Get-CimInstance Win32_Process${filter}` +
      ` -Property ${PROPERTIES} -ErrorAction Stop | Select-Object ${PROPERTIES},${OWNER})`,
  );
  return new Map(parseProcesses(json).map((facts) => [facts.pid, facts]));
}

/** What a script prints. Rejects if it prints nothing: even an empty result is `[]` in JSON. */
async function powershell(script: string): Promise<string> {
  const utf8 = "[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false";
  const args = ["-NoProfile", "-NonInteractive", "-Command", `${utf8}; ${script}`];
  const answer = await runCommand(POWERSHELL, args, {
    // Inherited from PowerShell 7, it names modules this one cannot load (PowerShell/PowerShell#27774).
    environment: { PSModulePath: undefined },
    timeLimitMs: POWERSHELL_TIME_LIMIT_MS,
  });
  if (answer === undefined) throw new Error(`Cannot look at this machine as ${POWERSHELL} gave no answer`);
  return answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim()); // trim also removes a byte order mark
  } catch (cause) {
    throw new Error(`Cannot read what PowerShell printed: ${JSON.stringify(text.slice(0, 80))}`, { cause });
  }
}

/** PowerShell 5 writes a date as `/Date(…)/`, milliseconds since 1970 in UTC, in every zone and locale. */
function parseDate(date: string): string {
  return /^\/Date\((-?\d+)\)\/$/.exec(date)?.[1] ?? date;
}
